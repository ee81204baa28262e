import type { Authority, PreparedCertificate } from '../../identity/authority.ts';
import type { Config } from '../../protocol/config.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { SpawnedElder } from '../elders/spawn-elder.ts';
import { certificateAddresses } from '../listen-address.ts';

interface PreparedCertificatesOptions {
  readonly authority: Authority;
  readonly config: Pick<Config, 'host' | 'certificates'>;
  readonly log: Logger;
}

/** Share of its life after which a prepared certificate is made anew. */
const renewalShare = 0.25;
/** Each costs some milliseconds; the servants of a large tree get theirs when they are promoted. */
const mostPrepared = 16;
const longestDelay = 24 * 3_600_000;

/**
 * Certificates made ahead for each elder that a spare can become. They stay with the manager: one is handed out
 * when the spare has proved its key as this very elder, and the others are forgotten.
 */
export class PreparedCertificates {
  readonly #options: PreparedCertificatesOptions;
  readonly #byProcess = new WeakMap<SpawnedElder, Map<string, PreparedCertificate>>();

  constructor(options: PreparedCertificatesOptions) {
    this.#options = options;
  }

  /** Keeps certificates ready for the key of a spare until it ends or is taken; never throws. */
  keep(names: readonly string[], process: SpawnedElder): void {
    const prepared = new Map<string, PreparedCertificate>();
    this.#byProcess.set(process, prepared);
    const { lifetime } = this.#options.config.certificates;
    const again = setInterval(
      () => void this.#prepare(names, process, prepared),
      Math.min(lifetime * renewalShare, longestDelay),
    );
    again.unref();
    void process.exited.then(() => clearInterval(again));
    void this.#prepare(names, process, prepared);
  }

  /** Gives what was prepared for a spare that becomes an elder, if there is anything; the rest is forgotten. */
  take(process: SpawnedElder, name: string): PreparedCertificate | undefined {
    const prepared = this.#byProcess.get(process)?.get(name);
    this.#byProcess.delete(process);
    // After a suspension of this host what was prepared may be old.
    const { lifetime } = this.#options.config.certificates;
    const left = (prepared?.issued.notAfter ?? 0) - Date.now();
    return left > lifetime * (1 - 2 * renewalShare) ? prepared : undefined;
  }

  async #prepare(
    names: readonly string[],
    process: SpawnedElder,
    prepared: Map<string, PreparedCertificate>,
  ): Promise<void> {
    const { authority, config, log } = this.#options;
    const publicKey = process.loading.keySoFar();
    try {
      for (const name of names.slice(0, mostPrepared)) {
        if (publicKey === null || this.#byProcess.get(process) !== prepared) return;
        const request = { name, addresses: certificateAddresses(config.host), publicKey };
        prepared.set(name, await authority.prepare({ ...request, lifetimeMs: config.certificates.lifetime }));
      }
    } catch (error) {
      log.warn({ spare: process.name, error }, 'no certificate could be prepared');
    }
  }
}
