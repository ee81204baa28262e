import type { Authority, PreparedCertificate } from '../../identity/authority.ts';
import type { Config } from '../../protocol/config.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { challengeKey } from '../elders/key-challenge.ts';
import type { SpawnedElder } from '../elders/spawn-elder.ts';
import { certificateAddresses } from '../listen-address.ts';

interface PreparedCertificatesOptions {
  readonly authority: Authority;
  readonly config: Pick<Config, 'host' | 'certificates'>;
  readonly log: Logger;
}

/** What a spare has ready. */
interface Prepared {
  /** Its key, which it has proved to have. */
  readonly proved: Buffer;
  /** Certificates for that key, by elder. */
  readonly byName: Map<string, PreparedCertificate>;
}

/** Share of its life after which a prepared certificate is made anew. */
const renewalShare = 0.25;
/** Each costs some milliseconds; the servants of a large tree get theirs when they are promoted. */
const mostPrepared = 16;
const longestDelay = 24 * 3_600_000;

/**
 * Has each spare prove its key ahead, and makes certificates for that key for each elder that the spare can become. They
 * stay with the manager: one is handed out when the spare becomes this very elder, and the others are forgotten.
 */
export class PreparedCertificates {
  readonly #options: PreparedCertificatesOptions;
  readonly #byProcess = new WeakMap<SpawnedElder, Prepared>();

  constructor(options: PreparedCertificatesOptions) {
    this.#options = options;
  }

  /**
   * Keeps certificates ready for the key of a spare until it ends or is taken. Resolves to whether it has proved its key; one that
   * has not is ended. Never rejects.
   */
  async keep(names: readonly string[], process: SpawnedElder): Promise<boolean> {
    const proved = await this.#prove(process);
    if (proved === null) return false;
    const prepared: Prepared = { proved, byName: new Map() };
    this.#byProcess.set(process, prepared);
    const { lifetime } = this.#options.config.certificates;
    const again = setInterval(
      () => void this.#prepare(names, process, prepared),
      Math.min(lifetime * renewalShare, longestDelay),
    );
    again.unref();
    void process.exited.then(() => clearInterval(again));
    void this.#prepare(names, process, prepared);
    return true;
  }

  /** Gives what was prepared for a spare that becomes an elder; the rest is forgotten. */
  take(process: SpawnedElder, name: string): { proved?: Buffer; prepared?: PreparedCertificate } {
    const taken = this.#byProcess.get(process);
    this.#byProcess.delete(process);
    if (taken === undefined) return {};
    const prepared = taken.byName.get(name);
    // After a suspension of this host what was prepared may be old.
    const { lifetime } = this.#options.config.certificates;
    const left = (prepared?.issued.notAfter ?? 0) - Date.now();
    const isFresh = left > lifetime * (1 - 2 * renewalShare);
    return { proved: taken.proved, ...(prepared && isFresh && { prepared }) };
  }

  async #prove(process: SpawnedElder): Promise<Buffer | null> {
    const { authority, log } = this.#options;
    try {
      return await challengeKey(process, { tree: authority.treeId, name: process.name, incarnation: 0 });
    } catch (error) {
      log.warn({ spare: process.name, error }, 'a spare did not prove its key');
      process.kill('SIGKILL');
      return null;
    }
  }

  async #prepare(names: readonly string[], process: SpawnedElder, prepared: Prepared): Promise<void> {
    const { authority, config, log } = this.#options;
    const { proved: publicKey, byName } = prepared;
    try {
      for (const name of names.slice(0, mostPrepared)) {
        if (this.#byProcess.get(process) !== prepared) return;
        const request = { name, addresses: certificateAddresses(config.host), publicKey };
        byName.set(name, await authority.prepare({ ...request, lifetimeMs: config.certificates.lifetime }));
      }
    } catch (error) {
      log.warn({ spare: process.name, error }, 'no certificate could be prepared');
    }
  }
}
