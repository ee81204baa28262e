import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import { clientTls, secureContext } from '../../identity/tls.ts';
import type { RedisEndpoint } from '../../protocol/bootstrap.ts';
import { ElderError } from '../../protocol/errors.ts';
import type { RedisCommands } from './redis-commands.ts';
import { RespClient } from './resp-client.ts';
import { ErrorReply } from './resp-parser.ts';
import { withSharedContext } from './shared-context.ts';

/** What a process shows to Redis and whom it trusts there; PEM texts. */
export interface RedisTls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  /** Tells whether the certificate with this serial number was taken back. */
  readonly isRevoked?: (serial: string) => boolean;
}

/** Who logs in. */
interface Login {
  readonly username: string;
  readonly password: string;
}

export interface RedisConnectionOptions {
  readonly tree: string;
  readonly endpoint: RedisEndpoint;
  /** A connection is made without waiting for it, and logged in when it is there. */
  readonly credential: Login | Promise<Login>;
  /** Asked for each new connection, so that renewed certificates are used. */
  readonly tls: () => RedisTls;
  /** After about this many ms the connection is replaced by a new one, without a gap; for ever when left out. */
  readonly maxAgeMs?: number;
  /** Told when the connection is made or lost; the error is why. */
  readonly onState?: (connected: boolean, error?: ElderError) => void;
  /** The longest wait before it is made anew, in ms. */
  readonly longestBackoffMs?: number;
  /** Listens to this channel for as long as the connection lives; nothing else can be sent then but PING. */
  readonly subscription?: { readonly channel: string; readonly listener: (event: string) => void };
}

/** How long a connection may take to be made, and any command to be answered, in ms. */
const answerMs = 4_000;
/** How long a command waits for a lost connection to come back before it is refused, in ms. */
const connectionWaitMs = 2_000;
const firstBackoffMs = 20;
const usualBackoffMs = 250;
/** Wait before another try at the successor of a connection that is due, in ms. */
const successorRetryMs = 2_000;
/** Errors by which Redis says that it is not ready yet, rather than that the command is wrong. */
const notReady = /^(LOADING|BUSY|MASTERDOWN|TRYAGAIN|CLUSTERDOWN|READONLY) /;
/** It was demoted to a replica: the master is to be found by connecting again. */
const demoted = /READONLY /;
/** Its disk is full: it refuses writes, and PING with them, but serves reads. */
const fullDisk = /^MISCONF /;

/** Gives the options of a TLS connection to the Redis of a tree. */
export function connectionOptions({
  endpoint,
  tree,
  tls,
}: Pick<RedisConnectionOptions, 'endpoint' | 'tree' | 'tls'>): ConnectionOptions {
  const own = tls();
  const identity = {
    certificate: endpoint.cert ?? own.cert,
    key: endpoint.key ?? own.key,
    ca: endpoint.ca ?? own.ca,
    ...(own.isRevoked && { isRevoked: own.isRevoked }),
  };
  const { host, port } = endpoint;
  // Where the tree's own authority is trusted, the peer must be the tree's Redis and not one of its elders.
  const trusted =
    endpoint.ca === undefined || endpoint.ca === own.ca
      ? clientTls({ ...identity, tree, expect: 'redis' })
      : { ...secureContext(identity), minVersion: 'TLSv1.2' as const };
  return { ...trusted, host, port };
}

interface Waiter {
  resolve(client: RespClient): void;
  reject(error: ElderError): void;
}

/**
 * One connection to Redis that is made again whenever it is lost, for ever, until it is closed or Redis no
 * longer knows the user. A command is sent at most once: when the connection breaks under it, it rejects
 * with `redis_unreachable` and may or may not have been carried out. While there is no connection, a command
 * waits up to 2 s for one and then rejects with `redis_unreachable`.
 */
export class RedisConnection implements RedisCommands {
  readonly #options: RedisConnectionOptions;
  readonly #waiters = new Set<Waiter>();
  readonly #ending = new AbortController();
  #client: RespClient | null = null;
  /** Known once it has logged in. */
  #username = '';
  #ended: ElderError | null = null;
  /** Resolves when the present connection is to be replaced. */
  #due = Promise.withResolvers<void>();
  #dueTimer: NodeJS.Timeout | undefined;
  #lastError = new ElderError('redis_unreachable', 'not connected yet');

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
    void this.#run();
  }

  get connected(): boolean {
    return this.#client !== null;
  }

  /** See `RedisCommands`. `timeoutMs` bounds the answer: without one in time the connection is given up. */
  async command(args: readonly string[], options: { timeoutMs?: number } = {}): Promise<unknown> {
    const { timeoutMs = answerMs } = options;
    const client = this.#client ?? (await this.#waitForClient());
    return new Promise((resolve, reject) => {
      // A peer that vanished without closing leaves a socket that looks alive for minutes.
      const watchdog = setTimeout(() => {
        const error = this.#unreachable(`no answer to ${args[0]} within ${timeoutMs} ms`);
        reject(error);
        client.destroy(error);
      }, timeoutMs);
      client.send(args).then(
        (reply) => {
          clearTimeout(watchdog);
          resolve(reply);
        },
        (cause: unknown) => {
          clearTimeout(watchdog);
          const error = this.#toElderError(cause);
          if (error.code === 'fenced' || demoted.test(error.reason)) client.destroy();
          reject(error);
        },
      );
    });
  }

  /** Gives up the present connection and makes a new one; commands under way reject with `redis_unreachable`. */
  drop(): void {
    this.#client?.destroy();
  }

  /** Has the present connection replaced by a new one that shows the present certificate; nothing is lost by it. */
  renew(): void {
    if (this.#client !== null) this.#due.resolve();
  }

  /** Ends the connection for good; commands under way reject with `redis_unreachable`. */
  close(): void {
    this.#end(new ElderError('redis_unreachable', 'the connection was closed'));
  }

  #end(error: ElderError): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#ending.abort();
    clearTimeout(this.#dueTimer);
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters.clear();
  }

  async #run(): Promise<void> {
    const { longestBackoffMs = usualBackoffMs } = this.#options;
    for (let failures = 0; !this.#ended; ) {
      const error = await this.#hold(() => {
        failures = 0;
      });
      if (error.code === 'fenced') this.#end(error);
      this.#lastError = error;
      if (this.#ended) return;
      const ceiling = failures === 0 ? 0 : Math.min(longestBackoffMs, firstBackoffMs * 2 ** failures);
      failures = Math.min(failures + 1, 10);
      await delay(ceiling * (0.5 + Math.random() / 2), undefined, { signal: this.#ending.signal }).catch(
        () => undefined,
      );
    }
  }

  /** Makes a connection, and a successor whenever one is due; resolves with why there is none any more. */
  async #hold(onReady: () => void): Promise<ElderError> {
    this.#due = Promise.withResolvers();
    let ended = this.#connectOnce(onReady);
    for (;;) {
      const due = this.#due.promise.then(() => null);
      const error = await Promise.race([ended, due]);
      if (error !== null) return error;
      this.#due = Promise.withResolvers();
      const made = Promise.withResolvers<boolean>();
      // The old one serves until the new one does: no command ever finds none.
      const successor = this.#connectOnce(() => made.resolve(true));
      void successor.then(() => made.resolve(false));
      if (await made.promise) ended = successor;
      else this.#makeDueAfter(successorRetryMs);
    }
  }

  #makeDueAfter(ms: number): void {
    clearTimeout(this.#dueTimer);
    this.#dueTimer = setTimeout(() => this.#due.resolve(), ms);
  }

  /** Resolves, with the reason, once one connection could not be made or has ended. */
  async #connectOnce(onReady: () => void): Promise<ElderError> {
    const { signal } = this.#ending;
    const { promise: ended, resolve } = Promise.withResolvers<ElderError>();
    let client: RespClient | undefined;
    const end = (cause: Error) => {
      const error = this.#toElderError(cause);
      resolve(error);
      if (client === undefined || this.#client !== client) return;
      // At once, so that no command is given to a client that is gone.
      this.#client = null;
      this.#options.onState?.(false, error);
    };
    try {
      client = new RespClient(withSharedContext(connectionOptions(this.#options)), end);
    } catch (cause) {
      return this.#unreachable(`cannot connect: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
    const made = client;
    const destroy = () => made.destroy(this.#unreachable('the connection was given up'));
    signal.addEventListener('abort', destroy, { once: true });
    const watchdog = setTimeout(destroy, answerMs);
    const ready = this.#greet(made).then(
      () => {
        clearTimeout(watchdog);
        if (signal.aborted || made.ended) return destroy();
        onReady();
        this.#take(made);
      },
      (cause: unknown) => made.destroy(this.#toElderError(cause)),
    );
    const error = await ended;
    await ready;
    clearTimeout(watchdog);
    signal.removeEventListener('abort', destroy);
    return error;
  }

  #take(client: RespClient): void {
    const old = this.#client;
    this.#client = client;
    for (const waiter of this.#waiters) waiter.resolve(client);
    this.#waiters.clear();
    const { maxAgeMs, onState } = this.#options;
    // Not all at the same moment, though they may have been made at the same moment.
    if (maxAgeMs !== undefined) this.#makeDueAfter(maxAgeMs * (0.8 + 0.2 * Math.random()));
    if (old === null) onState?.(true);
    else old.retire();
  }

  async #greet(client: RespClient): Promise<void> {
    const { username, password } = await this.#options.credential;
    this.#username = username;
    // While Redis loads its file it takes logins already but refuses commands.
    await client.login(username, password).catch((cause: unknown) => {
      if (!(cause instanceof ErrorReply && fullDisk.test(cause.message))) throw cause;
    });
    const { subscription } = this.#options;
    if (subscription) await client.subscribe(subscription.channel, subscription.listener);
  }

  #waitForClient(): Promise<RespClient> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        resolve(client) {
          clearTimeout(timer);
          resolve(client);
        },
        reject(error) {
          clearTimeout(timer);
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(this.#lastError);
      }, connectionWaitMs);
      this.#waiters.add(waiter);
    });
  }

  #unreachable(reason: string, cause?: unknown): ElderError {
    const { host, port } = this.#options.endpoint;
    return new ElderError('redis_unreachable', `Redis at ${host}:${port}: ${reason}`, { cause });
  }

  #toElderError(cause: unknown): ElderError {
    if (cause instanceof ElderError) return cause;
    const text = cause instanceof Error ? cause.message : String(cause);
    if (!(cause instanceof ErrorReply) || notReady.test(text)) return this.#unreachable(text, cause);
    if (/^(WRONGPASS|NOAUTH) /.test(text)) {
      return new ElderError('fenced', `Redis knows ${this.#username} no more: ${text}`, {
        cause,
      });
    }
    return new ElderError('redis_refused', text, { cause });
  }
}
