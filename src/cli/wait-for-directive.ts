import type { DirectiveView } from '../protocol/directive.ts';
import { ElderError } from '../protocol/errors.ts';
import { createProgress, type Progress } from './directive-progress.ts';
import { endText } from './directive-text.ts';
import { GatewayClient } from './gateway-client.ts';
import type { Session } from './session.ts';

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

/**
 * Follows a directive to its end, with progress on standard error, and prints it. Throws `directive_rejected`,
 * `directive_failed`, or `timed_out` after `timeoutMs`; the directive goes on then.
 */
export async function waitForDirective(
  session: Session,
  id: string,
  timeoutMs: number | undefined,
): Promise<void> {
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
