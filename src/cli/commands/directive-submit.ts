import type { DirectiveView } from '../../protocol/directive.ts';
import { ElderError } from '../../protocol/errors.ts';
import type { CommandInput } from '../command-table.ts';
import { newDirectiveId } from '../directive-id.ts';
import { createProgress, type Progress } from '../directive-progress.ts';
import { endText } from '../directive-text.ts';
import { defaultAskMs, GatewayClient } from '../gateway-client.ts';
import { loadDirective } from '../load-directive.ts';
import type { Session } from '../session.ts';

async function follow(client: GatewayClient, id: string, progress: Progress): Promise<DirectiveView> {
  let last: DirectiveView | undefined;
  for await (const view of client.watch(id)) {
    last = view;
    progress.update(view);
  }
  if (last === undefined) throw new ElderError('internal', `the watch of ${id} ended without a view`);
  return last;
}

function deadline(timeoutMs: number, id: string): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController();
  const late = new ElderError(
    'timed_out',
    `directive ${id} has not ended after ${timeoutMs} ms; it goes on`,
    {
      detail: { id },
    },
  );
  const timer = setTimeout(() => controller.abort(late), timeoutMs);
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}

async function wait(session: Session, id: string, timeoutMs: number | undefined): Promise<void> {
  const limit = timeoutMs === undefined ? undefined : deadline(timeoutMs, id);
  const signal = limit ? AbortSignal.any([session.signal, limit.signal]) : session.signal;
  const progress = createProgress(process.stderr, session.text);
  const onAway = () => progress.note(session.text.directive.reconnecting);
  let view: DirectiveView;
  try {
    view = await follow(new GatewayClient({ folder: session.folder, signal, onAway }), id, progress);
  } finally {
    limit?.clear();
    progress.stop();
  }
  session.print(view, () => endText(view, session.text, Date.now()));
  if (view.state === 'rejected') throw new ElderError('directive_rejected', view.reason ?? 'no reason given');
  if (view.state !== 'completed') throw new ElderError('directive_failed', `${id} ${view.state}`);
}

/** Submits a directive. Throws `directive_rejected`, and with `--wait` `directive_failed` or `timed_out`. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const timeoutMs = input.number('timeout');
  const directive = await loadDirective(input.arguments[0]!, session.cwd);
  const directiveId = newDirectiveId();
  const started = performance.now();
  const client = new GatewayClient({
    folder: session.folder,
    signal: session.signal,
    onAway: () => session.note(session.text.directive.reconnecting),
  });
  const payload = { directiveId, directive };
  const record = await client.ask('grand_elder', 'development.directive.submit', payload, {
    idempotencyKey: directiveId,
    timeoutMs: timeoutMs ?? defaultAskMs,
  });
  if (record.state === 'rejected') {
    throw new ElderError('directive_rejected', record.reason ?? 'no reason given', { detail: record });
  }
  session.note(session.text.directive.submitted(directiveId));
  if (input.flag('wait')) {
    const rest = timeoutMs === undefined ? undefined : timeoutMs - (performance.now() - started);
    return wait(session, directiveId, rest === undefined ? undefined : Math.max(1, Math.round(rest)));
  }
  session.note(session.text.directive.follow(directiveId));
  session.print(record, () => `${directiveId}\n`);
}
