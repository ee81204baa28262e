import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import type { Session } from '../../session.ts';
import { oneLine } from '../../text/printable.ts';
import { paintState } from '../../text/state-color.ts';
import { renderTable } from '../../text/table.ts';
import { timeText } from '../../text/times.ts';

/** Lists what waits for the human, with `--all` also what was decided. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const answer = await new GatewayClient(session).ask('grand_elder', 'approval.list', { limit: 1_000 });
  const approvals = answer.approvals.filter(({ state }) => input.flag('all') || state === 'waiting');
  session.print({ approvals }, () => {
    if (approvals.length === 0) return `${session.text.approval.none}\n`;
    const rows = approvals.map(({ id, state, risk, directiveId, expiresAt, title, reasons }) => [
      id,
      paintState(state),
      risk,
      directiveId,
      timeText(expiresAt),
      oneLine(`${title}: ${reasons.join('; ')}`),
    ]);
    return renderTable([session.text.approval.head, ...rows]);
  });
}
