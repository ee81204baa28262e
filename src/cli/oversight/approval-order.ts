import { ElderError } from '../../protocol/errors.ts';
import type { CommandInput } from '../command-spec.ts';
import { GatewayClient } from '../connection/gateway-client.ts';
import type { Session } from '../session.ts';

/**
 * Decides about the approval named on the command line, by its own id or that of its directive, and about nothing else:
 * what waits must be what `elders approvals` showed. Throws `not_found`, and `conflict` where that is over.
 */
export async function orderApproval(
  session: Session,
  decision: 'approve' | 'deny',
  input: CommandInput,
): Promise<void> {
  const given = input.arguments[0]!;
  const client = new GatewayClient(session);
  const { approvals } = await client.ask('grand_elder', 'approval.list', { limit: 1_000 });
  const found =
    approvals.find(({ id }) => id === given) ??
    approvals.find(({ directiveId, state }) => directiveId === given && state === 'waiting');
  if (!found) throw new ElderError('not_found', `nothing called ${given} waits for approval`);
  const { id: approvalId } = found;
  const digest = input.text('digest') ?? found.digest;
  const order = { approvalId, decision, digest, reason: input.text('reason') ?? '' };
  const decided = await client.ask('grand_elder', 'approval.decide', order);
  const { approved, denied } = session.text.approval;
  const say = decision === 'approve' ? approved : denied;
  session.print(decided, () => `${say(approvalId, decided.directiveId)}\n`);
}
