import type {
  CertificateList,
  CertificateRevocation,
  CertificateRotation,
  CertificateRotationRequest,
} from '../../protocol/certificates.ts';
import { ElderError } from '../../protocol/errors.ts';
import type { AuditSink } from '../../telemetry/audit/audit-log.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { TreeElders } from '../elders/tree-elders.ts';
import type { ManagerCredentials } from '../manager/manager-credentials.ts';
import type { RedisSupervisor } from '../redis/redis-supervisor.ts';
import { rotateAuthority } from './rotate-authority.ts';
import type { TreeCertificates } from './tree-certificates.ts';

interface DeskOptions {
  readonly certificates: TreeCertificates;
  readonly own: ManagerCredentials;
  readonly redis: RedisSupervisor;
  readonly elders: TreeElders;
  readonly audit: AuditSink;
  readonly log: Logger;
  /** Ends what is under way when the tree is stopped. */
  readonly signal: AbortSignal;
}

/** A process that has not confirmed a revocation after this long (ms) is reported as pending. */
const confirmMs = 10_000;

/** What people do with the certificates of a running tree: look, renew, replace the root, take one back. */
export class CertificateDesk {
  readonly #options: DeskOptions;
  #rotation: Promise<void> | null = null;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  /** Goes on with a replacement of the root that an earlier manager did not finish. */
  resume(): void {
    const { certificates, log } = this.#options;
    if (certificates.authority.rotation === 'none') return;
    this.#rotateAuthority().catch((error) => log.warn({ error }, 'the new root is not in force yet'));
  }

  list(): CertificateList {
    const { authority, register } = this.#options.certificates;
    return { root: authority.fingerprint, rotation: authority.rotation, certificates: register.rows };
  }

  /** Gives one process, or all, a new key and certificate, or replaces the root. Throws `not_found` for an unknown name. */
  async rotate(request: CertificateRotationRequest): Promise<CertificateRotation> {
    const { certificates, own, redis, signal } = this.#options;
    const names = certificates.holders.map(({ name }) => name);
    if (request.what === 'authority') {
      await this.#rotateAuthority();
      return this.#rotated(['manager', 'redis', ...names]);
    }
    const wanted = request.what === 'one' ? [request.name] : ['manager', 'redis', ...names];
    for (const name of wanted) {
      if (name === 'manager') await own.renew();
      else if (name === 'redis') await redis.upkeep.renewCertificate(signal);
      else await this.#renewElder(name);
    }
    return this.#rotated(wanted);
  }

  /**
   * Takes back every certificate of a principal: its Redis user is deleted, everybody refuses it and cuts its
   * connections, its process ends; with `restart` a successor gets new credentials. Throws `not_found`, and
   * `redis_unreachable` when the user could not be deleted; everything else is done then.
   */
  async revoke(name: string, restart: boolean): Promise<CertificateRevocation> {
    const { certificates, elders, redis, own } = this.#options;
    const began = performance.now();
    this.#requireKnown(name);
    if (name === 'manager') await own.renew();
    const kept = name === 'manager' ? own.credentials.serial : null;
    const serials = await certificates.revoke(
      (row) => row.name === name && row.serial !== kept,
      'revoked by the human',
    );
    const { version } = certificates;
    this.#record('revoked', name, { serials });
    let user: Promise<unknown> = Promise.resolve();
    if (name === 'manager') redis.admin.renewConnection();
    else if (name === 'redis') redis.restartManaged('its certificate was revoked');
    else {
      const principals = name === 'grand_elder' ? [name, 'gateway'] : [name];
      user = Promise.all(principals.map((principal) => redis.admin.users.revoke(principal)));
      user.catch(() => undefined);
      await elders.endRevoked(name, { restart });
    }
    await user;
    const has = (holder: { trustVersion: number }) => holder.trustVersion >= version;
    const others = () => certificates.holders.filter((holder) => holder.name !== name);
    await certificates
      .everyone((holder) => holder.name === name || has(holder), AbortSignal.timeout(confirmMs))
      .catch(() => undefined);
    return {
      name,
      serials,
      tookMs: Math.round(performance.now() - began),
      refusedBy: [
        'manager',
        ...others()
          .filter(has)
          .map((holder) => holder.name),
      ],
      pending: others()
        .filter((holder) => !has(holder))
        .map((holder) => holder.name),
      restarted: restart || name === 'manager' || name === 'redis',
    };
  }

  async #renewElder(name: string): Promise<void> {
    this.#requireKnown(name);
    const holder = this.#options.certificates.holders.find((each) => each.name === name);
    if (!holder?.renew) throw new ElderError('not_healthy', `${name} does not serve now`);
    await holder.renew();
  }

  #requireKnown(name: string): void {
    const { elders, redis } = this.#options;
    if (name === 'redis' && !redis.status.managed) {
      throw new ElderError('conflict', 'this Redis is not the manager’s; its certificate is yours');
    }
    if (name !== 'manager' && name !== 'redis' && !elders.statuses.has(name)) {
      throw new ElderError('not_found', `no process ${JSON.stringify(name)} has certificates of this tree`);
    }
  }

  #rotated(renewed: readonly string[]): CertificateRotation {
    const root = this.#options.certificates.authority.fingerprint;
    for (const name of renewed) this.#record('rotated', name, {});
    return { renewed: [...new Set(renewed)], root };
  }

  /** One at a time: whoever asks while one is under way waits for that. */
  #rotateAuthority(): Promise<void> {
    const { certificates, own, redis, log, signal } = this.#options;
    this.#rotation ??= rotateAuthority(
      {
        certificates,
        renewOwn: own.renew,
        renewRedis: (stop) => redis.upkeep.renewCertificate(stop),
        noteRedisConnections: () => redis.upkeep.noteConnections(),
        onStep: (step) => {
          if (step === 'dropped') redis.admin.renewConnection();
          log.info({ step }, 'replacement of the root');
          this.#record(`root_${step}`, 'authority', { root: certificates.authority.fingerprint });
        },
        log,
      },
      signal,
    ).finally(() => {
      this.#rotation = null;
    });
    return this.#rotation;
  }

  #record(event: string, subject: string, detail: Record<string, string | string[]>): void {
    this.#options.audit.record({ kind: 'certificate', event, by: 'manager', subject, detail });
  }
}
