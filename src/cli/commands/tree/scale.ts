import { ElderError } from '../../../protocol/errors.ts';
import type { ScaleRequest } from '../../../protocol/scaling.ts';
import type { CommandInput } from '../../command-spec.ts';
import { ManagerClient } from '../../connection/manager-client.ts';
import type { Session } from '../../session.ts';
import { managerEventText } from '../../tree/manager-event-text.ts';
import { scaleText } from '../../tree/scale-text.ts';

/** Shows how many servants there are, or changes that and waits until it has come about. Throws `usage` for what cannot be read. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const { text, folder, signal } = session;
  const pools = readCounts(input.arguments, session);
  const client = new ManagerClient(folder, signal);
  const state =
    Object.keys(pools).length === 0
      ? await client.scaling()
      : await client.scale({ pools, wait: !input.flag('detach') }, (event) =>
          session.note(managerEventText(event, text)),
        );
  session.print(state, () => scaleText(state, text, Date.now()));
}

function readCounts(words: readonly string[], { text }: Session): ScaleRequest['pools'] {
  const pools = new Map<string, number | 'auto'>();
  for (const word of words) {
    const [, pool = '', count] = /^(.+)=(\d{1,4}|auto)$/.exec(word) ?? [];
    if (count === undefined) throw new ElderError('usage', text.scale.malformed(word));
    if (pools.has(pool)) throw new ElderError('usage', text.scale.twice(pool));
    pools.set(pool, count === 'auto' ? count : Number(count));
  }
  return Object.fromEntries(pools);
}
