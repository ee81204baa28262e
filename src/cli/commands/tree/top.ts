import { setTimeout as delay } from 'node:timers/promises';
import type { CommandInput } from '../../command-spec.ts';
import { ManagerClient } from '../../connection/manager-client.ts';
import type { Session } from '../../session.ts';
import { abortOnSignals } from '../../signals.ts';
import { topText } from '../../tree/top-text.ts';
import { usageRates } from '../../tree/usage-rates.ts';

const defaultIntervalMs = 2_000;
/** Back to the first line, and nothing below it. */
const clear = '\u001b[H\u001b[2J\u001b[3J';

/** Shows what each process uses and does: on a terminal until it is interrupted, else once; JSON lines go on. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const live = process.stdout.isTTY === true && !session.json;
  const signal = abortOnSignals();
  try {
    await show(session, input, { live, signal });
  } catch (error) {
    // On a terminal this is how one leaves.
    if (!live || !signal.aborted) throw error;
  }
}

async function show(
  session: Session,
  input: CommandInput,
  { live, signal }: { live: boolean; signal: AbortSignal },
): Promise<void> {
  const { json, text } = session;
  const interval = input.number('interval') ?? defaultIntervalMs;
  const count = input.number('count') ?? (live || json ? Infinity : 1);
  const client = new ManagerClient(session.folder, signal);
  let before = await client.measure();
  for (let shown = 0; shown < count; shown += 1) {
    await delay(interval, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
    const after = await client.measure();
    const rates = usageRates(before, after, Date.now());
    session.printItem(rates, () => `${live ? clear : ''}${topText(rates, text)}`);
    before = after;
  }
}
