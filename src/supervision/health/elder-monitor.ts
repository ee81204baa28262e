import type { Credentials } from '../../identity/credentials.ts';
import type { Config } from '../../protocol/config.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { describeActivity } from '../../telemetry/process-activity.ts';
import { keepFresh } from '../certificates/keep-fresh.ts';
import type { Holder, TreeCertificates } from '../certificates/tree-certificates.ts';
import { keepTrustCurrent } from '../certificates/trust-push.ts';
import { renewCertificate } from '../elders/certificate-renewal.ts';
import { ElderClient } from '../elders/elder-client.ts';
import { probeElder } from './elder-health.ts';
import { type Health, HealthChecker } from './health-checker.ts';
import { watchMemory } from './memory-watch.ts';

/** What a monitor of one process tells. */
export interface MonitorHandlers {
  readonly onAnswer: (health: Extract<Health, { alive: true }>) => void;
  readonly onHanging: (reason: string) => void;
  /** Called once when it holds more memory than it may. */
  readonly onTooLarge: (reason: string) => void;
}

interface ElderMonitorOptions {
  readonly name: string;
  readonly pid: number;
  /** Bytes. */
  readonly memoryLimit: number;
  readonly incarnation: number;
  readonly port: number;
  /** Whether its certificate was issued just now. */
  readonly fresh: boolean;
  readonly config: Config;
  readonly certificates: TreeCertificates;
  /** The process, among those that have a certificate. */
  readonly holder: Holder;
  readonly credentials: Credentials;
  readonly handlers: MonitorHandlers;
  /** Asks it on a channel of its own; without one it is asked over HTTPS. */
  readonly probe: (() => Promise<Health>) | undefined;
  readonly log: Logger;
}

/** Probes one process, renews its certificate and tells it whom to trust until `stop` is called. */
export function monitorElder(options: ElderMonitorOptions): { stop(): void } {
  const { name, incarnation, port, config, certificates, holder, credentials, handlers, log } = options;
  const { authority } = certificates;
  const { lifetime, connectionAge: connectionAgeMs } = config.certificates;
  const { probeInterval, livenessDeadline } = config.supervision;
  const { host } = config;
  const client = new ElderClient({
    credentials,
    tree: authority.treeId,
    name,
    host,
    port,
    connectionAgeMs,
    isCurrent: (serial) => certificates.register.isCurrent(serial),
  });
  const health = new HealthChecker({
    probe: options.probe ?? ((signal) => probeElder(client, { timeoutMs: livenessDeadline, signal })),
    interval: probeInterval,
    deadline: livenessDeadline,
    now: () => performance.now(),
    onAnswer: handlers.onAnswer,
    onHanging: (reason) => {
      // Nobody can find out afterwards why it hung.
      const activity = describeActivity(options.pid);
      handlers.onHanging(activity === undefined ? reason : `${reason}; ${activity}`);
    },
  });
  const stopWeighing = watchMemory({
    pid: options.pid,
    limit: options.memoryLimit,
    interval: probeInterval,
    onTooLarge: handlers.onTooLarge,
  });
  const stopped = new AbortController();
  const renewal = { client, authority, name, incarnation, host, lifetimeMs: lifetime };
  const fresh = keepFresh({
    renewOnce: async () => {
      const root = await renewCertificate(renewal, stopped.signal);
      certificates.confirm(holder, { root });
      log.info({ elder: name }, 'certificate renewed');
    },
    lifetimeMs: lifetime,
    fresh: options.fresh,
    onError: (error) => log.warn({ elder: name, error }, 'certificate not renewed'),
  });
  certificates.confirm(holder, { renew: fresh.renew });
  const stopTelling = keepTrustCurrent({
    client,
    certificates,
    holder,
    onError: (error) => log.warn({ elder: name, error }, 'not told whom to trust'),
  });
  health.start();
  return {
    stop() {
      health.stop();
      stopped.abort();
      fresh.stop();
      stopTelling();
      stopWeighing();
      client.close();
    },
  };
}
