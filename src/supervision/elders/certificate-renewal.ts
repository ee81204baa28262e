import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Authority } from '../../identity/authority.ts';
import { verifyKeyProof } from '../../identity/key-proof.ts';
import type { Challenge } from '../../protocol/bootstrap.ts';
import { ElderError } from '../../protocol/errors.ts';
import { certificateAddresses } from '../listen-address.ts';
import type { ElderClient } from './elder-client.ts';

const keyProof = z.object({ kind: z.literal('key'), publicKey: z.string(), signature: z.string() });
const answerMs = 10_000;
interface RenewalOptions {
  readonly client: ElderClient;
  readonly authority: Authority;
  readonly name: string;
  readonly incarnation: number;
  readonly host: string;
  readonly lifetimeMs: number;
}

/**
 * Gives an elder a new certificate for the key that it proves to hold, a new one each time, and resolves to the
 * fingerprint of the root that signed it. Rejects with `denied` when the proof
 * is wrong and `not_healthy` when the elder does not take part.
 */
export async function renewCertificate(options: RenewalOptions, signal: AbortSignal): Promise<string> {
  const { client, authority, name, incarnation } = options;
  const nonce = randomBytes(32).toString('base64url');
  const challenge: Challenge = { kind: 'challenge', tree: authority.treeId, name, incarnation, nonce };
  const asked = await client.request({
    method: 'GET',
    path: `/v1/certificate/request?nonce=${nonce}`,
    timeoutMs: answerMs,
    signal,
  });
  if (asked.status !== 200) throw refused(name, 'prove its key', asked.status);
  const proof = keyProof.parse(JSON.parse(asked.body));
  const root = authority.fingerprint;
  const { certificatePem } = await authority.issue({
    name,
    incarnation,
    addresses: certificateAddresses(options.host),
    lifetimeMs: options.lifetimeMs,
    publicKey: verifyKeyProof(challenge, proof),
  });
  const put = await client.request({
    method: 'PUT',
    path: '/v1/certificate',
    body: JSON.stringify({ certificate: certificatePem }),
    timeoutMs: answerMs,
    signal,
  });
  if (put.status >= 300) throw refused(name, 'take its new certificate', put.status);
  return root;
}

function refused(name: string, what: string, status: number): ElderError {
  return new ElderError('not_healthy', `${name} did not ${what}: HTTP status ${status}`);
}
