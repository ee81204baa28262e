import { type ChildProcess, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Authority } from '../../identity/authority.ts';
import type { RedisTls } from '../../messaging/redis/redis-connection.ts';
import type { RedisEndpoint } from '../../protocol/bootstrap.ts';
import type { Config } from '../../protocol/config.ts';
import { asElderError, ElderError } from '../../protocol/errors.ts';
import type { ProcessIdentity, ProcessRecord } from '../../protocol/process.ts';
import { possibleServants } from '../../protocol/servant-pools.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import {
  isSameProcess,
  readProcessIdentity,
  signalProcess,
  waitUntilGone,
} from '../../telemetry/process-identity.ts';
import { writeFileAtomic } from '../atomic-file.ts';
import { removeProcessRecord, saveProcessRecord } from '../elders/process-records.ts';
import { openRawOutput } from '../elders/raw-output.ts';
import { describeExit, type ProcessExit, type RunningProcess } from '../elders/running-process.ts';
import { certificateAddresses, connectAddress } from '../listen-address.ts';
import { noteOf } from '../manager/manager-lock.ts';
import { requireFreePorts } from '../manager/preflight.ts';
import { RedisAdmin } from './redis-admin.ts';
import {
  adminPassword,
  adminUsername,
  fileTail,
  moveFullLog,
  openUnlinked,
  redisPaths,
  writeRedisFiles,
} from './redis-files.ts';
import { type RedisSitter, startRedisSitter } from './redis-sitter.ts';

export interface ManagedRedisOptions {
  readonly tree: string;
  readonly folder: StateFolder;
  readonly config: Config;
  readonly port: number;
  readonly authority: Authority;
  /** What the manager shows to Redis. */
  readonly tls: () => RedisTls;
  /** Told when the manager's own connection to Redis is made or lost. */
  readonly onState?: (connected: boolean, error?: ElderError) => void;
  /** The program; found on PATH. */
  readonly program?: string;
}

const name = 'redis';
/** It is renewed as often as all others, but lives so many times as long: a Redis outlives its manager for a while. */
const lifetimes = 24;

/**
 * The Redis that the manager runs for its tree: TLS with client certificates only, users by ACL, an
 * append-only file. It has a session of its own and outlives the manager, which adopts it when it is back.
 */
export class ManagedRedis {
  readonly #options: ManagedRedisOptions;
  readonly #password: string;
  readonly #admin: RedisAdmin;
  #process: RunningProcess | null = null;
  #sitter: RedisSitter | null = null;
  #released = false;

  private constructor(options: ManagedRedisOptions, password: string) {
    this.#options = options;
    this.#password = password;
    const { tree, tls, config, onState } = options;
    const credential = { username: adminUsername, password };
    const { connectionAge: connectionAgeMs } = config.certificates;
    const servants = possibleServants(config);
    const common = { tree, servants, endpoint: this.endpoint, credential, tls, connectionAgeMs };
    this.#admin = new RedisAdmin(onState ? { ...common, onState } : common);
  }

  /** Prepares a managed Redis; nothing is started yet. The admin's password is made on first use. */
  static async open(options: ManagedRedisOptions): Promise<ManagedRedis> {
    return new ManagedRedis(options, await adminPassword(options.folder));
  }

  /** Where processes of this host find it. */
  get endpoint(): RedisEndpoint {
    const { config, port } = this.#options;
    return { host: connectAddress(config.host), port };
  }

  /** The manager's own connection; it comes back by itself when Redis was restarted. */
  get admin(): RedisAdmin {
    return this.#admin;
  }

  /**
   * Starts Redis and resolves once it serves the admin over TLS, its file loaded. Throws `port_taken`,
   * `missing_program`, or `start_failed` when it ended or was not ready in time; nothing runs then.
   */
  async start(options: { restarts: number; signal?: AbortSignal }): Promise<RunningProcess> {
    const { folder, config, port, authority } = this.#options;
    options.signal?.throwIfAborted();
    await requireFreePorts(config.host, [{ name, port }]);
    const { certificatePem, privateKeyPem } = await authority.issueWithKey({
      name,
      addresses: certificateAddresses(config.host),
      lifetimeMs: config.certificates.lifetime * lifetimes,
    });
    await writeRedisFiles({
      folder,
      host: config.host,
      port,
      appendfsync: config.appendfsync,
      certificatePem,
      caPem: authority.caPem,
      password: this.#password,
    });
    moveFullLog(redisPaths(folder).log, config.log.maxBytes);
    const startedAt = Date.now();
    const { orphanTimeout } = config.supervision;
    const sitter = startRedisSitter({ note: noteOf(folder.managerLock), orphanTimeout });
    this.#sitter = sitter;
    const child = this.#spawn(privateKeyPem, sitter);
    const exited = exitOf(child);
    const identity = child.pid === undefined ? undefined : readProcessIdentity(child.pid);
    if (identity === undefined) sitter?.abandon();
    else sitter?.sitWith(identity);
    if (child.pid === undefined) throw await this.#spawnFailure(child);
    if (identity === undefined) throw await this.#failure(await exited);
    const { startTimeout } = config.supervision;
    const kill: RunningProcess['kill'] = (signal) => void child.kill(signal);
    const running = { identity, incarnation: 0, startedAt, exited, kill };
    try {
      const { restarts } = options;
      await saveProcessRecord(folder, {
        ...identity,
        name,
        incarnation: 0,
        host: config.host,
        port,
        startedAt,
        restarts,
      });
      await this.#untilReady(exited, startTimeout, options.signal);
    } catch (error) {
      child.kill('SIGKILL');
      await exited;
      await removeProcessRecord(folder, name);
      throw error;
    }
    this.#process = running;
    return running;
  }

  /**
   * Takes over the Redis that an earlier manager started; `null` when the noted process is gone. One that
   * lives but does not serve the admin in time is killed first.
   */
  async adopt(record: ProcessRecord): Promise<RunningProcess | null> {
    const { pid, startTime, bootId, startedAt } = record;
    const identity: ProcessIdentity = { pid, startTime, bootId };
    if (!isSameProcess(identity)) return null;
    try {
      await this.#admin.ready({ waitMs: this.#options.config.supervision.startTimeout });
      const facts = await this.#admin.verify();
      if (facts.pid !== pid) throw new ElderError('conflict', `pid ${facts.pid} serves, ${pid} was noted`);
    } catch {
      signalProcess(identity, 'SIGKILL');
      await waitUntilGone(identity, this.#options.config.supervision.shutdown);
      return null;
    }
    const running: RunningProcess = {
      identity,
      incarnation: record.incarnation,
      startedAt,
      exited: this.#adoptedExit(identity),
      kill: (signal) => void signalProcess(identity, signal),
    };
    this.#process = running;
    return running;
  }

  /**
   * Gives the running Redis a new certificate for the key it has, and the roots that are trusted now; connections
   * go on. Throws `redis_unreachable` or `redis_refused`, and Redis goes on with what it had.
   */
  async renewCertificate(): Promise<void> {
    const { folder, config, authority } = this.#options;
    const paths = redisPaths(folder);
    const present = new X509Certificate(await readFile(paths.certificate));
    const { certificatePem } = await authority.issue({
      name,
      addresses: certificateAddresses(config.host),
      lifetimeMs: config.certificates.lifetime * lifetimes,
      publicKey: present.publicKey.export({ format: 'der', type: 'spki' }),
    });
    await writeFileAtomic(paths.certificate, certificatePem);
    await writeFileAtomic(paths.ca, authority.caPem);
    const setting = ['tls-cert-file', paths.certificate, 'tls-ca-cert-file', paths.ca];
    await this.#admin.command(['CONFIG', 'SET', ...setting]);
  }

  /**
   * Ends Redis after it has flushed its append-only file; kills it when that takes longer than `deadlineMs`.
   * Also ends the admin's connection: this object is of no use afterwards.
   */
  async stop(deadlineMs: number): Promise<void> {
    const running = this.#process;
    if (running) {
      const killer = setTimeout(() => running.kill('SIGKILL'), deadlineMs);
      // Redis answers SHUTDOWN only when it will not: success is the end of the connection.
      if (this.#admin.connected) {
        await Promise.race([this.#admin.command(['SHUTDOWN']).catch(() => undefined), running.exited]);
      }
      running.kill('SIGTERM');
      await running.exited;
      clearTimeout(killer);
      this.#process = null;
      await removeProcessRecord(this.#options.folder, name);
      await this.#sitter?.ended;
    }
    this.#admin.close();
  }

  /** Leaves Redis running and ends the admin's connection. */
  release(): void {
    this.#released = true;
    this.#admin.close();
  }

  #spawn(privateKeyPem: string, sitter: RedisSitter | null): ChildProcess {
    const { folder, config, program = 'redis-server' } = this.#options;
    const output = openRawOutput(folder.rawOutput(name), config.log.maxBytes);
    const key = openUnlinked(folder.redis, privateKeyPem);
    try {
      return spawn(program, [redisPaths(folder).config], {
        cwd: folder.redis,
        detached: true,
        stdio: ['ignore', output, output, key, ...(sitter === null ? [] : [sitter.held])],
        env: process.env.PATH === undefined ? {} : { PATH: process.env.PATH },
      });
    } finally {
      closeSync(output);
      closeSync(key);
    }
  }

  async #untilReady(exited: Promise<ProcessExit>, waitMs: number, signal?: AbortSignal): Promise<void> {
    const giveUp = new AbortController();
    const stop = signal ? AbortSignal.any([giveUp.signal, signal]) : giveUp.signal;
    stop.throwIfAborted();
    const died = exited.then(async (exit) => {
      throw await this.#failure(exit);
    });
    const aborted = once(stop, 'abort').then(() => {
      throw new ElderError('interrupted', 'the start of Redis was given up');
    });
    died.catch(() => undefined);
    aborted.catch(() => undefined);
    try {
      await Promise.race([this.#admin.ready({ waitMs, signal: stop }), died, aborted]);
    } finally {
      giveUp.abort();
    }
  }

  /** The end of a process that is not our child shows first by the loss of the connection to it. */
  async #adoptedExit(identity: ProcessIdentity): Promise<ProcessExit> {
    while (isSameProcess(identity)) {
      await this.#admin.disconnected();
      if (this.#released) return new Promise(() => {});
      await waitUntilGone(identity, 1_000).catch(() => undefined);
    }
    return { code: null, signal: null };
  }

  async #spawnFailure(child: ChildProcess): Promise<ElderError> {
    const { program = 'redis-server' } = this.#options;
    const [cause] = (await once(child, 'error')) as [NodeJS.ErrnoException];
    const code = cause.code === 'ENOENT' ? 'missing_program' : 'start_failed';
    return new ElderError(code, `${program}: ${cause.message}`, { cause });
  }

  async #failure(exit: ProcessExit): Promise<ElderError> {
    const { folder, config, port } = this.#options;
    const { log } = redisPaths(folder);
    const lines = `${fileTail(folder.rawOutput(name))}\n${fileTail(log)}`.trim().split('\n');
    if (lines.some((line) => line.includes('Address already in use'))) {
      // Somebody took the port between our look and Redis's.
      try {
        await requireFreePorts(config.host, [{ name, port }]);
      } catch (error) {
        return asElderError(error);
      }
    }
    const reason = `redis-server ${describeExit(exit)}: ${lines.at(-1)}; see ${log}`;
    return new ElderError('start_failed', reason);
  }
}

function exitOf(child: ChildProcess): Promise<ProcessExit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.on('error', () => {
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
}
