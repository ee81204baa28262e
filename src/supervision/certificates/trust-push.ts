import { setTimeout as delay } from 'node:timers/promises';
import { ElderError } from '../../protocol/errors.ts';
import type { ElderClient } from '../elders/elder-client.ts';
import type { Holder, TreeCertificates } from './tree-certificates.ts';

interface TrustPushOptions {
  readonly client: ElderClient;
  readonly certificates: TreeCertificates;
  readonly holder: Holder;
  readonly onError: (error: unknown) => void;
}

const answerMs = 3_000;
const retryMs = 250;

/** Tells one process whom to trust whenever that changes, again and again until it confirms; ends with the returned function. */
export function keepTrustCurrent(options: TrustPushOptions): () => void {
  const stopped = new AbortController();
  void push(options, stopped.signal);
  return () => stopped.abort();
}

async function push(options: TrustPushOptions, signal: AbortSignal): Promise<void> {
  const { client, certificates, holder, onError } = options;
  while (!signal.aborted) {
    const { version, trust } = certificates;
    try {
      if (holder.trustVersion < version) {
        await tell(client, JSON.stringify(trust), signal);
        certificates.confirm(holder, { trustVersion: version });
      } else await certificates.changed(signal);
    } catch (error) {
      if (signal.aborted) return;
      onError(error);
      await delay(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function tell(client: ElderClient, body: string, signal: AbortSignal): Promise<void> {
  const { status } = await client.request({
    method: 'PUT',
    path: '/v1/trust',
    body,
    timeoutMs: answerMs,
    signal,
  });
  if (status >= 300) throw new ElderError('not_healthy', `told whom to trust, it answered ${status}`);
}
