import { GatewayClient } from '../src/cli/connection/gateway-client.ts';
import { asElderError } from '../src/protocol/errors.ts';
import type { StateFolder } from '../src/protocol/state-folder.ts';
import { directive, task } from '../test/support/directive.ts';
import type { Tally } from './tally.ts';

const grandElder = 'grand_elder';

/** Has one risky directive decided, then tries the old approval, made-up ones and one for something else. */
export async function tryApprovals(folder: StateFolder, tally: Tally, signal: AbortSignal): Promise<void> {
  const client = new GatewayClient({ folder, signal });
  const submit = async (directiveId: string) => {
    const spec = directive([task('a')], { title: directiveId, workspace: folder.project, risk: 'high' });
    await client.ask(grandElder, 'development.directive.submit', { directiveId, directive: spec });
    const { approvals } = await client.ask(grandElder, 'approval.list', { limit: 100 });
    const found = approvals.find((approval) => approval.directiveId === directiveId);
    if (!found) throw new Error(`directive ${directiveId} waits for no approval`);
    return found;
  };
  const decide = async (approvalId: string, decision: 'approve' | 'deny', digest?: string) => {
    try {
      const order = { approvalId, decision, ...(digest !== undefined && { digest }) };
      await client.ask(grandElder, 'approval.decide', order);
      return 'done';
    } catch (error) {
      return asElderError(error).code;
    }
  };
  const refused = async (what: string, answer: Promise<string>) => {
    const code = await answer;
    const audit = `receive gateway>${grandElder}`;
    tally.attempt({ part: 'approvals', what: `${what} → ${code}`, allowed: code === 'done', audit });
  };

  const first = await submit('attack-1');
  const other = await submit('attack-2');
  await refused('one directive by the digest of another', decide(first.id, 'approve', other.digest));
  await refused('a digest of nothing', decide(first.id, 'approve', '0'.repeat(64)));
  tally.control('the human denies what waits', (await decide(first.id, 'deny', first.digest)) === 'done');
  for (const decision of ['approve', 'deny'] as const) {
    await refused(`${decision} once more`, decide(first.id, decision));
    await refused(`${decision} once more, with its digest`, decide(first.id, decision, first.digest));
    await refused(`${decision} of no approval`, decide('made-up', decision));
    await refused(`${decision} by the id of a directive`, decide(`${other.directiveId}x`, decision));
  }
  tally.control('the human denies the other', (await decide(other.id, 'deny')) === 'done');
}
