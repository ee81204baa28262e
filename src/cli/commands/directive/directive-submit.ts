import { ElderError } from '../../../protocol/errors.ts';
import { exitCodes } from '../../../protocol/exit-codes.ts';
import type { CommandInput } from '../../command-spec.ts';
import { defaultAskMs, GatewayClient } from '../../connection/gateway-client.ts';
import { newDirectiveId } from '../../directive/directive-id.ts';
import { loadDirective } from '../../directive/load-directive.ts';
import { waitForDirective } from '../../directive/wait-for-directive.ts';
import type { Session } from '../../session.ts';
import { oneLine } from '../../text/printable.ts';

/**
 * Submits a directive. Gives the exit code of `approval_required` for one that waits for the human. Throws
 * `directive_rejected`, and with `--wait` `directive_failed`, `timed_out` or `approval_required`.
 */
export async function run(session: Session, input: CommandInput): Promise<number | void> {
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
    return waitForDirective(
      session,
      directiveId,
      rest === undefined ? undefined : Math.max(1, Math.round(rest)),
    );
  }
  const { approval } = record;
  if (approval)
    session.note(session.text.approval.waits(approval.id, approval.reasons.map(oneLine).join('; ')));
  else session.note(session.text.directive.follow(directiveId));
  session.print(record, () => `${directiveId}\n`);
  if (approval) return exitCodes.approval_required;
}
