import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Authority } from '../identity/authority.ts';
import { verifyKeyProof } from '../identity/key-proof.ts';
import type { Challenge } from '../protocol/bootstrap.ts';
import { ElderError } from '../protocol/errors.ts';
import type { ElderClient } from './elder-client.ts';
import { certificateAddresses } from './listen-address.ts';

const keyProof = z.object({ kind: z.literal('key'), publicKey: z.string(), signature: z.string() });
const answerMs = 10_000;
/** The longest that a timer of Node waits is 24.8 days; certificates that live longer are renewed daily. */
const longestDelay = 24 * 3_600_000;

/** Gives the ms to wait before a certificate of this lifetime is renewed: a little less than half of it. */
export function renewalDelay(lifetimeMs: number, random: number): number {
  return Math.min(longestDelay, (lifetimeMs / 2) * (1 - 0.1 * random));
}

interface RenewalOptions {
  readonly client: ElderClient;
  readonly authority: Authority;
  readonly name: string;
  readonly incarnation: number;
  readonly host: string;
  readonly lifetimeMs: number;
}

/**
 * Gives an elder a new certificate for the key that it proves to hold. Rejects with `denied` when the proof
 * is wrong and `not_healthy` when the elder does not take part.
 */
export async function renewCertificate(options: RenewalOptions, signal: AbortSignal): Promise<void> {
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
  const { certificatePem } = await authority.issue({
    name,
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
}

function refused(name: string, what: string, status: number): ElderError {
  return new ElderError('not_healthy', `${name} did not ${what}: HTTP status ${status}`);
}

/**
 * Renews an elder's certificate at half of its life, and sooner again after a failure, until the returned
 * function is called. `fresh`: its present certificate was issued just now; otherwise nobody knows how old it is.
 */
export function keepCertificateFresh(
  options: RenewalOptions & {
    readonly fresh: boolean;
    readonly onRenewed: () => void;
    readonly onError: (error: unknown) => void;
  },
): () => void {
  const stopped = new AbortController();
  let timer: NodeJS.Timeout;
  const schedule = (delay: number) => {
    if (!stopped.signal.aborted) timer = setTimeout(() => void renew(), delay);
  };
  const renew = async () => {
    try {
      await renewCertificate(options, stopped.signal);
      options.onRenewed();
      schedule(renewalDelay(options.lifetimeMs, Math.random()));
    } catch (error) {
      if (stopped.signal.aborted) return;
      options.onError(error);
      schedule(renewalDelay(options.lifetimeMs / 10, Math.random()));
    }
  };
  const first = options.fresh
    ? renewalDelay(options.lifetimeMs, Math.random())
    : Math.random() * Math.min(5_000, options.lifetimeMs / 20);
  schedule(first);
  return () => {
    clearTimeout(timer);
    stopped.abort();
  };
}
