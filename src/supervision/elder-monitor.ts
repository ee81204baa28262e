import type { Authority } from '../identity/authority.ts';
import type { Credentials } from '../identity/credentials.ts';
import type { Config } from '../protocol/config.ts';
import type { Logger } from '../telemetry/logger.ts';
import { keepCertificateFresh } from './certificate-renewal.ts';
import { ElderClient } from './elder-client.ts';
import { probeElder } from './elder-health.ts';
import type { MonitorHandlers } from './elder-supervisor.ts';
import { HealthChecker } from './health-checker.ts';

interface ElderMonitorOptions {
  readonly name: string;
  readonly incarnation: number;
  readonly port: number;
  /** Whether its certificate was issued just now. */
  readonly fresh: boolean;
  readonly config: Config;
  readonly authority: Authority;
  readonly credentials: Credentials;
  readonly handlers: MonitorHandlers;
  readonly log: Logger;
}

/** Probes one process and renews its certificate until `stop` is called. */
export function monitorElder(options: ElderMonitorOptions): { stop(): void } {
  const { name, incarnation, port, config, authority, credentials, handlers, log } = options;
  const { probeInterval, livenessDeadline } = config.supervision;
  const client = new ElderClient({ credentials, tree: authority.treeId, name, host: config.host, port });
  const health = new HealthChecker({
    probe: (signal) => probeElder(client, { timeoutMs: livenessDeadline, signal }),
    interval: probeInterval,
    deadline: livenessDeadline,
    now: () => performance.now(),
    ...handlers,
  });
  const stopRenewing = keepCertificateFresh({
    client,
    authority,
    name,
    incarnation,
    host: config.host,
    lifetimeMs: config.certificates.lifetime,
    fresh: options.fresh,
    onRenewed: () => log.info({ elder: name }, 'certificate renewed'),
    onError: (error) => log.warn({ elder: name, error }, 'certificate not renewed'),
  });
  health.start();
  return {
    stop() {
      health.stop();
      stopRenewing();
      client.close();
    },
  };
}
