import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { verifyKeyProof } from '../../identity/key-proof.ts';
import type { Challenge } from '../../protocol/bootstrap.ts';
import { ElderError } from '../../protocol/errors.ts';
import type { SpawnedElder } from './spawn-elder.ts';

/** Answer of a child to its challenge. */
export const keyProof = z.object({ kind: z.literal('key'), publicKey: z.string(), signature: z.string() });

/**
 * Has a process that waits for its orders prove that it holds its key (SPKI DER), and gives that; `null` when it ended before.
 * To be called once for each process. Throws `start_failed` or `denied` when it does not prove it.
 */
export async function challengeKey(
  { channel, loading }: Pick<SpawnedElder, 'channel' | 'loading'>,
  identity: Pick<Challenge, 'tree' | 'name' | 'incarnation'>,
): Promise<Buffer | null> {
  const nonce = randomBytes(32).toString('base64url');
  const challenge: Challenge = { kind: 'challenge', ...identity, nonce };
  channel.write(`${JSON.stringify(challenge)}\n`);
  const answer = await loading.answer;
  if (answer === null) return null;
  const proof = keyProof.safeParse(answer);
  if (!proof.success)
    throw new ElderError('start_failed', `${identity.name} does not follow the start protocol`);
  return verifyKeyProof(challenge, proof.data);
}
