import { z } from 'zod';
import type { Authority, PreparedCertificate } from '../../identity/authority.ts';
import type { RedisLogins, StartOrder, ToChild } from '../../protocol/bootstrap.ts';
import { type ErrorCode, errorTable } from '../../protocol/errors.ts';
import { ChannelProbe } from '../health/channel-probe.ts';
import { certificateAddresses } from '../listen-address.ts';
import { challengeKey } from './key-challenge.ts';
import type { SpawnedElder } from './spawn-elder.ts';

const errorCode = z.string().refine((code): code is ErrorCode => Object.hasOwn(errorTable, code));
/** Every later line of a child. */
export const childReport = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('unready'), reason: z.string() }),
  z.object({ kind: z.literal('data_lost'), reason: z.string() }),
  z.object({ kind: z.literal('failed'), error: z.object({ code: errorCode, reason: z.string() }) }),
  z.object({ kind: z.literal('alive'), n: z.number(), reason: z.string().nullable() }),
]);
/** What a child says about itself once it has its start order, unasked. */
export type Report = Exclude<z.infer<typeof childReport>, { kind: 'alive' }>;

interface Introduction {
  readonly name: string;
  readonly incarnation: number;
  readonly authority: Authority;
  readonly order: Omit<StartOrder, 'kind' | 'tree' | 'name' | 'incarnation' | 'certificate' | 'ca'>;
  /** They come when its predecessor can write no more; meanwhile it gets ready. */
  readonly credentials: Promise<RedisLogins['credentials']>;
  readonly onReport: (report: Report) => void;
  /** Told with each probe; see `Probe`. */
  readonly isCalm: () => boolean;
  /** The key that it has proved already to have, on this very channel. */
  readonly proved?: Buffer;
  /** A certificate made ahead for the key that the process said is its own. */
  readonly prepared?: PreparedCertificate;
}

/**
 * Tells a waiting process who it is, once it has proven its key, and hands it its certificate and its secrets;
 * what it makes of them comes through `onReport`. Resolves with what asks it for its health, or to `null` when it
 * ended before; throws `start_failed` or `denied` when it does not keep to the protocol.
 */
export async function introduce(
  spawned: SpawnedElder,
  introduction: Introduction,
): Promise<ChannelProbe | null> {
  const { name, incarnation, authority, order } = introduction;
  const { channel, lines } = spawned;
  const say = (line: ToChild) => channel.write(`${JSON.stringify(line)}\n`);
  const identity = { tree: authority.treeId, name, incarnation };
  const proving = introduction.proved ?? challengeKey(spawned, identity);
  const certificate = introduction.prepared ?? prepareCertificate(spawned, introduction);
  const publicKey = await proving;
  if (publicKey === null) return null;
  const prepared = await certificate;
  const { certificatePem } =
    prepared !== null && prepared.root === authority.fingerprint && prepared.publicKey.equals(publicKey)
      ? authority.handOut(prepared, incarnation)
      : await authority.issue({ ...certificateRequest(introduction, publicKey), incarnation });
  say({ kind: 'start', ...identity, certificate: certificatePem, ca: authority.caPem, ...order });
  const probe = new ChannelProbe((n) => say({ kind: 'probe', n, calm: introduction.isCalm() }));
  void pumpReports(lines, introduction, probe);
  // One that had no challenge to answer now may hang.
  const lives = introduction.proved === undefined ? true : isAnswered(probe, spawned);
  say({ kind: 'credentials', credentials: await introduction.credentials });
  if (!(await lives)) return null;
  return probe;
}

/** Resolves when the process answers a probe, and to `false` when it ended before. */
function isAnswered(probe: ChannelProbe, { exited }: SpawnedElder): Promise<boolean> {
  return Promise.race([probe.probe().then(() => true), exited.then(() => false)]);
}

/** Makes the certificate while the process is still proving its key; `null` where that fails. */
async function prepareCertificate(
  spawned: SpawnedElder,
  introduction: Introduction,
): Promise<PreparedCertificate | null> {
  const publicKey = await spawned.loading.key;
  if (publicKey === null) return null;
  const request = certificateRequest(introduction, publicKey);
  return introduction.authority.prepare(request).catch(() => null);
}

function certificateRequest({ name, order }: Introduction, publicKey: Buffer) {
  const { host, config } = order;
  const { lifetime: lifetimeMs } = config.certificates;
  return { name, addresses: certificateAddresses(host), lifetimeMs, publicKey };
}

async function pumpReports(
  lines: AsyncGenerator<unknown, void>,
  introduction: Introduction,
  probe: ChannelProbe,
): Promise<void> {
  const { name, onReport } = introduction;
  try {
    for await (const line of lines) {
      const report = childReport.parse(line);
      if (report.kind === 'alive') probe.answered(report.n, report.reason);
      else onReport(report);
    }
  } catch (error) {
    // A channel that breaks is told by the end of the process, or by probes that are not answered.
    if ((error as NodeJS.ErrnoException).syscall !== undefined) return;
    const reason = `${name} does not follow the start protocol: ${(error as Error).message}`;
    onReport({ kind: 'failed', error: { code: 'start_failed', reason } });
  }
}
