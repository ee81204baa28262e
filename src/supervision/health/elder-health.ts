import { z } from 'zod';
import type { ElderClient } from '../elders/elder-client.ts';
import type { Health } from './health-checker.ts';

const unreadyAnswer = z.object({ reason: z.string() });

function reasonOf(body: string): string {
  try {
    return unreadyAnswer.parse(JSON.parse(body)).reason;
  } catch {
    return 'it gave no reason';
  }
}

/** Asks one elder for its liveness and its readiness. Rejects when it does not answer within `timeoutMs`. */
export async function probeElder(
  client: ElderClient,
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<Health> {
  const live = await client.request({ method: 'GET', path: '/healthz', ...options });
  if (live.status !== 200) return { alive: false, reason: `/healthz answered ${live.status}` };
  const ready = await client.request({ method: 'GET', path: '/readyz', ...options });
  if (ready.status === 200) return { alive: true, ready: true };
  return { alive: true, ready: false, reason: reasonOf(ready.body) };
}
