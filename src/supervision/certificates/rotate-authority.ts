import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../telemetry/logger.ts';
import type { Holder, TreeCertificates } from './tree-certificates.ts';

export interface RotationOptions {
  readonly certificates: TreeCertificates;
  /** Gives the manager a new certificate. */
  readonly renewOwn: () => Promise<void>;
  /** Gives Redis the present roots and a new certificate; tries until it takes them. */
  readonly renewRedis: (signal: AbortSignal) => Promise<void>;
  /** Notes the connections to Redis; what it resolves to ends those of them that are left. */
  readonly noteRedisConnections: () => Promise<() => Promise<void>>;
  readonly onStep: (step: 'introduced' | 'switched' | 'dropped') => void;
  readonly log: Logger;
}

const retryMs = 500;
/** What elders need at most to replace their connections to Redis (ms); an old one that is left then is cut. */
const replaceMs = 3_000;

/**
 * Replaces the root of the tree while it works: both roots are trusted by everybody before the new one signs
 * anything, and everybody has a certificate of the new one before the old one is dropped. Each step is on disk
 * before it is taken, so a rotation that a crash interrupted is finished by calling this again.
 */
export async function rotateAuthority(options: RotationOptions, signal: AbortSignal): Promise<void> {
  const { certificates, onStep } = options;
  const { authority } = certificates;
  if (authority.rotation === 'none') {
    await authority.introduceSuccessor();
    onStep('introduced');
  }
  if (authority.rotation === 'introduced') {
    certificates.trustChanged();
    await options.renewRedis(signal);
    await everyoneTrusts(certificates, signal);
    await authority.switchToSuccessor();
    onStep('switched');
  }
  await options.renewOwn();
  await options.renewRedis(signal);
  await everyoneRenews(options, signal);
  const cutOldConnections = await options.noteRedisConnections();
  await authority.dropPredecessor();
  certificates.trustChanged();
  await options.renewRedis(signal);
  await everyoneTrusts(certificates, signal);
  onStep('dropped');
  await delay(replaceMs, undefined, { signal });
  await cutOldConnections();
}

function everyoneTrusts(certificates: TreeCertificates, signal: AbortSignal): Promise<void> {
  const { version } = certificates;
  return certificates.everyone((holder) => holder.trustVersion >= version, signal);
}

/** Renews what is not signed by the present root, again and again; a process that ends meanwhile needs nothing. */
async function everyoneRenews({ certificates, log }: RotationOptions, signal: AbortSignal): Promise<void> {
  const root = certificates.authority.fingerprint;
  const isDone = (holder: Holder) => holder.root === root;
  for (;;) {
    const late = certificates.holders.filter((holder) => !isDone(holder));
    if (late.length === 0) return;
    const able = late.flatMap(({ name, renew }) => (renew === null ? [] : [{ name, renew }]));
    const results = await Promise.allSettled(able.map(({ renew }) => renew()));
    const failed = results.some(({ status }) => status === 'rejected');
    if (failed)
      log.warn({ late: late.map(({ name }) => name) }, 'not all have a certificate of the new root yet');
    if (certificates.holders.every(isDone)) return;
    // Whoever has no way to renew yet is being started, or ends.
    await (failed ? delay(retryMs, undefined, { signal }) : certificates.changed(signal));
  }
}
