import { setTimeout as delay } from 'node:timers/promises';
import { ElderError } from '../../protocol/errors.ts';
import type { DeadLetterView } from '../../protocol/local-api.ts';
import type { CommandInput } from '../command-spec.ts';
import { defaultAskMs, GatewayClient } from '../connection/gateway-client.ts';
import { ManagerClient } from '../connection/manager-client.ts';
import type { Session } from '../session.ts';

const firstPauseMs = 20;
const longestPauseMs = 500;

function isNotFound(error: unknown): boolean {
  return error instanceof ElderError && error.code === 'not_found';
}

/**
 * Has the grand elder order something about a dead letter and waits until its elder has carried it out. Gives the
 * letter if it is a dead letter again, else `null`. Throws `not_found` and `timed_out`.
 */
export async function orderDeadLetter(
  session: Session,
  what: 'replay' | 'discard',
  input: CommandInput,
): Promise<{ readonly before: DeadLetterView; readonly after: DeadLetterView | null }> {
  const manager = new ManagerClient(session.folder, session.signal);
  const before = await manager.deadLetter(input.arguments[0]!);
  const timeoutMs = input.number('timeout') ?? defaultAskMs;
  const deadline = performance.now() + timeoutMs;
  const { elder, id: messageId } = before;
  const order = { elder, messageId };
  await new GatewayClient(session).ask('grand_elder', `elder.dead_letter.${what}`, order, { timeoutMs });
  // Most elders have no edge to the grand elder on which they could answer, so the outcome is looked up.
  for (let pause = firstPauseMs; ; pause = Math.min(longestPauseMs, pause * 2)) {
    const after = await manager.deadLetter(messageId).catch((error) => {
      if (isNotFound(error)) return null;
      throw error;
    });
    if (after === null || after.replays > before.replays) return { before, after };
    if (performance.now() > deadline) {
      throw new ElderError('timed_out', `${elder} has not carried out the order within ${timeoutMs} ms`);
    }
    await delay(pause, undefined, { signal: session.signal }).catch(() => session.signal.throwIfAborted());
  }
}
