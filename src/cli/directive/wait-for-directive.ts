import type { DirectiveView } from '../../protocol/directive.ts';
import { ElderError } from '../../protocol/errors.ts';
import { GatewayClient } from '../connection/gateway-client.ts';
import type { Session } from '../session.ts';
import type { Catalog } from '../text/catalog.ts';
import { createProgress, type Progress } from './directive-progress.ts';
import { endText } from './directive-text.ts';

type Seen = { approval: DirectiveView['approval'] };

async function follow(
  client: GatewayClient,
  id: string,
  { progress, text, seen }: { progress: Progress; text: Catalog; seen: Seen },
): Promise<DirectiveView> {
  let last: DirectiveView | undefined;
  for await (const view of client.watch(id)) {
    last = view;
    progress.update(view);
    const { approval } = view;
    if (approval && approval.id !== seen.approval?.id) {
      progress.note(text.approval.waits(approval.id, approval.reasons.join('; ')));
    }
    seen.approval = approval;
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

/** Says that a directive waits for the human. */
export function approvalRequired(id: string, approval: NonNullable<DirectiveView['approval']>): ElderError {
  const reason = `directive ${id} waits for approval ${approval.id}: ${approval.reasons.join('; ')}`;
  return new ElderError('approval_required', reason, { detail: { id, approval } });
}

/**
 * Follows a directive to its end, with progress on standard error, and prints it. Throws `directive_rejected`,
 * `directive_failed`, or after `timeoutMs` `timed_out`, or `approval_required` if it waits for that; it goes on then.
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
  const seen: Seen = { approval: null };
  let view: DirectiveView;
  try {
    const client = new GatewayClient({ folder: session.folder, signal, onAway });
    view = await follow(client, id, { progress, text: session.text, seen });
  } catch (error) {
    if (!limit?.signal.aborted || session.signal.aborted || seen.approval === null) throw error;
    throw approvalRequired(id, seen.approval);
  } finally {
    limit?.clear();
    progress.stop();
  }
  session.print(view, () => endText(view, session.text, Date.now()));
  if (view.state === 'rejected') throw new ElderError('directive_rejected', view.reason ?? 'no reason given');
  if (view.state !== 'completed') throw new ElderError('directive_failed', `${id} ${view.state}`);
}
