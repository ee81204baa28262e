import { setTimeout as delay } from 'node:timers/promises';
import { asElderError, ElderError } from '../../../protocol/errors.ts';
import type { AuditSink } from '../../../telemetry/audit/audit-log.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { RedisAdmin } from '../redis-admin.ts';
import { adminUsername } from '../redis-files.ts';
import { AclWatch } from './acl-watch.ts';
import { aclLogLength, takeDenials } from './denials.ts';
import { RefusedHandshakes } from './refused-handshakes.ts';

interface RedisGuardOptions {
  readonly admin: RedisAdmin;
  /** Log of a managed Redis; `null` for one of the user's. */
  readonly logFile: string | null;
  readonly audit: AuditSink;
  readonly log: Logger;
  /** Told when more was denied than the log of Redis holds: something is hammering at it. */
  readonly onOverflow: (reason: string) => void;
  /** Told when somebody changed the rights of a user while the tree ran. */
  readonly onChanged: (reason: string) => void;
  /** Whether users of the tree that were changed are left as they are. */
  readonly lenient: boolean;
}

/** Ms between two readings of the ACL log. */
const readingMs = 1_000;
/** Ms between two looks at the rights of all users. */
const lookMs = 5_000;
/** What Redis holds unless it is told otherwise. */
const usualLength = 128;

/** Looks whether Redis is a wall, once; and writes into the audit log whatever it denies, each second. */
export class RedisGuard {
  readonly #options: RedisGuardOptions;
  readonly #stopping = new AbortController();
  readonly #handshakes: RefusedHandshakes | null;
  #limit = usualLength;
  /** Counters of Redis as they were last read. */
  readonly #counters = new Map<string, number>();
  #counting = false;
  #errors: string | null = null;
  #reading: Promise<void> = Promise.resolve();
  #running: Promise<void> = Promise.resolve();
  readonly #watch: AclWatch;
  /** When users are looked at next, by the clock of `performance`. */
  #nextLook = 0;

  constructor(options: RedisGuardOptions) {
    this.#options = options;
    this.#watch = new AclWatch(options.admin, options.logFile === null ? [] : ['default', adminUsername]);
    this.#handshakes = options.logFile === null ? null : new RefusedHandshakes(options.logFile);
  }

  /** Tries this Redis and lists why a tree is not safe on it. Fences users that can do more than they should. */
  async inspect(): Promise<string[]> {
    const { admin, audit, log } = this.#options;
    const { open, weak } = await admin.openDoors();
    for (const reason of weak) log.warn({ reason }, 'this Redis is weaker than the one of the tree would be');
    for (const reason of await admin.users.fenceDeviantUsers()) {
      log.error({ reason }, 'a user of Redis had other rights than the table of edges gives, and was fenced');
      audit.record({ kind: 'denial', event: 'redis_user_fenced', by: 'manager', object: 'redis', reason });
    }
    return [...open];
  }

  /** Begins to read. What Redis denied before is read as well; refused connections count from now on. */
  async start(): Promise<void> {
    await this.lengthen();
    await this.look();
    this.#handshakes?.take();
    await this.read();
    this.#running = this.#run();
  }

  /** Looks whether anybody changed the rights of a user: one of the tree is fenced. Throws as the connection does. */
  async look(): Promise<void> {
    const { admin, audit, log, lenient, onChanged } = this.#options;
    this.#nextLook = performance.now() + lookMs;
    for (const { user, principal, reason } of await this.#watch.look()) {
      const fenced = principal !== undefined && !lenient;
      if (fenced) await admin.users.deleteUser(user);
      const event = fenced ? 'redis_user_fenced' : 'redis_user_changed';
      const subject = principal === undefined ? {} : { subject: principal };
      log.error({ user, reason, fenced }, 'the rights of a user of Redis were changed while the tree runs');
      audit.record({ kind: 'denial', event, by: 'manager', object: 'redis', reason, ...subject });
      onChanged(reason);
    }
  }

  /** Asks Redis to hold more denials between two readings; one of the user's forgets that when it is restarted. */
  async lengthen(): Promise<void> {
    const { admin, log } = this.#options;
    // It may be another server, or have loaded other users.
    this.#nextLook = 0;
    await admin.command(['CONFIG', 'SET', 'acllog-max-len', String(aclLogLength)]).catch((error) => {
      log.warn({ error: asElderError(error).message }, 'the ACL log of this Redis cannot be made longer');
    });
    const reply = await admin.command(['CONFIG', 'GET', 'acllog-max-len']).catch(() => []);
    this.#limit = Array.isArray(reply) && Number(reply[1]) > 0 ? Number(reply[1]) : usualLength;
  }

  /** Reads a last time and ends. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.read().catch(() => undefined);
  }

  /** Writes what was denied since the last reading into the audit log. Throws as the connection does. */
  read(): Promise<void> {
    const next = this.#reading.then(() => this.#read());
    this.#reading = next.catch(() => undefined);
    return next;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await delay(readingMs, undefined, { signal }).catch(() => undefined);
      const work = this.read().then(() => (performance.now() >= this.#nextLook ? this.look() : undefined));
      await work.catch((thrown) => {
        const error = asElderError(thrown);
        // Without a connection nobody is denied anything; what was is still in the log when it is back.
        if (error.code !== 'redis_unreachable')
          this.#options.log.error({ error: error.message }, 'the ACL log cannot be read');
      });
    }
  }

  async #read(): Promise<void> {
    const { admin, audit, onOverflow } = this.#options;
    this.#readHandshakes();
    const nameOf = (user: string) => admin.users.principalOf(user) ?? user;
    const { entries, overflow, errors, withoutLogin, switchedOff } = await takeDenials(admin, {
      ...{ limit: this.#limit, nameOf, errors: this.#errors },
    });
    this.#errors = errors;
    for (const entry of entries) audit.record(entry);
    const anonymous = this.#since('', withoutLogin);
    if (anonymous > 0) {
      const reason = 'a command before a login';
      audit.record({ kind: 'denial', event: 'redis_login', by: 'redis', reason, count: anonymous });
    }
    for (const [action, total] of switchedOff ?? []) {
      // Where the configuration lets the command pass, the ACL log has it.
      const listed = entries.filter((entry) => entry.action === action);
      const count = this.#since(action, total) - listed.reduce((sum, { count = 1 }) => sum + count, 0);
      const reason = 'switched off by the configuration of Redis';
      if (count > 0) audit.record({ kind: 'denial', event: 'redis_off', by: 'redis', action, reason, count });
    }
    this.#counting = true;
    if (!overflow) return;
    const reason = `more than ${this.#limit} different denials within a second: some are not in the audit log`;
    audit.record({ kind: 'audit', event: 'redis_acl_overflow', by: 'redis', reason });
    onOverflow(reason);
  }

  /** How much a counter of Redis has grown since it was last read; nothing when it is read for the first time. */
  #since(name: string, total: number): number {
    const before = this.#counters.get(name) ?? (this.#counting ? 0 : total);
    this.#counters.set(name, total);
    // Less than before: Redis was started again and counts anew.
    return total < before ? total : total - before;
  }

  #readHandshakes(): void {
    const { audit, log } = this.#options;
    try {
      for (const [reason, count] of this.#handshakes?.take() ?? []) {
        audit.record({ kind: 'denial', event: 'redis_tls', by: 'redis', reason, count });
      }
    } catch (error) {
      log.error({ error }, 'the log of Redis cannot be read');
    }
  }
}

/** Throws `redis_refused` with the reasons for which a tree is not safe on this Redis, where there are any. */
export function requireSafe(reasons: readonly string[]): void {
  if (reasons.length === 0) return;
  throw new ElderError(
    'redis_refused',
    `this Redis is open: ${reasons.join('; ')}. Close it, or run on it all the same with --allow-insecure-redis`,
  );
}
