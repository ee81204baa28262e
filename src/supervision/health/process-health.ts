import type { Credentials } from '../../identity/credentials.ts';
import type { ProcessHealth } from '../../protocol/certificates.ts';
import { asElderError, ElderError } from '../../protocol/errors.ts';
import { didYouMean } from '../../protocol/nearest.ts';
import type { TreeStatus } from '../../protocol/process.ts';
import { ElderClient } from '../elders/elder-client.ts';
import { probeElder } from './elder-health.ts';

const answerMs = 5_000;

/**
 * Asks one process of the tree, now, whether it lives and can serve, for a probe that has no certificate of its
 * own. A process that does not answer in 5 s is not live. Throws `not_found` for an unknown name.
 */
export async function processHealth(
  name: string,
  around: { status: TreeStatus; host: string; credentials: Credentials | null },
): Promise<ProcessHealth> {
  const { status, host, credentials } = around;
  if (name === 'manager') {
    const ready = status.state === 'ready';
    return { name, live: true, ready, reason: ready ? null : status.state };
  }
  if (name === 'redis') {
    const { state, reason } = status.redis;
    return {
      name,
      live: state === 'ready',
      ready: state === 'ready',
      reason: state === 'ready' ? null : reason,
    };
  }
  const elder = status.elders.find((each) => each.name === name);
  if (elder === undefined) {
    const known = ['manager', 'redis', ...status.elders.map((each) => each.name)];
    throw new ElderError('not_found', `no process ${JSON.stringify(name)}${didYouMean(name, known)}`);
  }
  if (elder.pid === null || credentials === null) {
    return { name, live: false, ready: false, reason: elder.reason ?? elder.state };
  }
  const client = new ElderClient({ credentials, tree: status.tree, name, host, port: elder.port });
  try {
    const health = await probeElder(client, {
      timeoutMs: answerMs,
      signal: new AbortController().signal,
    });
    if (health.alive && health.ready) return { name, live: true, ready: true, reason: null };
    return { name, live: health.alive, ready: false, reason: health.reason };
  } catch (error) {
    return { name, live: false, ready: false, reason: asElderError(error).reason };
  } finally {
    client.close();
  }
}
