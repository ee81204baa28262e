import { libraryName, loadCommitLibrary } from '../../messaging/redis/commit-library.ts';
import type { RedisCommands } from '../../messaging/redis/redis-commands.ts';
import { RedisConnection, type RedisTls } from '../../messaging/redis/redis-connection.ts';
import { decodeHash, replyArray } from '../../messaging/redis/replies.ts';
import type { RedisEndpoint } from '../../protocol/bootstrap.ts';
import { asElderError, type ElderError } from '../../protocol/errors.ts';
import { treeKeys } from '../../protocol/keys.ts';
import type { Servants } from '../../protocol/roster.ts';
import { findOpenDoors, type OpenDoors } from './acl/open-doors.ts';
import { RedisUsers } from './acl/redis-users.ts';
import { type RedisFacts, verifyRedis } from './verify-redis.ts';

export interface RedisAdminOptions {
  readonly tree: string;
  /** The servants that the tree can have; their edges are in the rights of those who write to them. */
  readonly servants: Servants;
  readonly endpoint: RedisEndpoint;
  readonly credential: { readonly username: string; readonly password: string };
  readonly tls: () => RedisTls;
  /** Ms after which its connection is replaced, without a gap; never when left out. */
  readonly connectionAgeMs?: number;
  /** Told what a user may do on this server beyond the table of edges; without it such a server is refused. */
  readonly onInsecure?: (reasons: readonly string[]) => void;
  /** Told when the connection is made or lost. */
  readonly onState?: (connected: boolean, error?: ElderError) => void;
}

/**
 * What the manager does with Redis: its connection, the users, the commit function, the registry. It is the same
 * for a managed Redis and one of the user's. Methods throw `redis_unreachable`, `fenced` or `redis_refused`.
 */
export class RedisAdmin implements RedisCommands {
  readonly #options: RedisAdminOptions;
  readonly #keys: ReturnType<typeof treeKeys>;
  readonly #connection: RedisConnection;
  /** The users of the tree. */
  readonly users: RedisUsers;
  #lost = Promise.withResolvers<void>();

  /** Starts to connect; `ready` tells when it is done. */
  constructor(options: RedisAdminOptions) {
    this.#options = options;
    this.#keys = treeKeys(options.tree);
    const { tree, servants, endpoint, credential, tls, onInsecure } = options;
    const onState = (connected: boolean, error?: ElderError) => {
      if (connected) this.#lost = Promise.withResolvers();
      else this.#lost.resolve();
      options.onState?.(connected, error);
    };
    this.users = new RedisUsers(this, { tree, servants, admin: credential.username, onInsecure });
    const { connectionAgeMs: maxAgeMs } = options;
    const age = maxAgeMs === undefined ? {} : { maxAgeMs };
    this.#connection = new RedisConnection({ tree, endpoint, credential, tls, onState, ...age });
  }

  /** Connects and logs in. */
  static async connect(options: RedisAdminOptions): Promise<RedisAdmin> {
    const admin = new RedisAdmin(options);
    try {
      await admin.ready();
    } catch (error) {
      admin.close();
      throw error;
    }
    return admin;
  }

  /** Waits until Redis serves the admin; tries for up to `waitMs`, at least once. */
  async ready(options: { waitMs?: number; signal?: AbortSignal } = {}): Promise<void> {
    const until = performance.now() + (options.waitMs ?? 0);
    for (;;) {
      try {
        await this.command(['PING']);
        break;
      } catch (error) {
        const { code } = asElderError(error);
        if (code !== 'redis_unreachable' || performance.now() >= until || options.signal?.aborted)
          throw error;
      }
    }
    await this.users.open();
  }

  get connected(): boolean {
    return this.#connection.connected;
  }

  /** Resolves as soon as there is no connection. */
  disconnected(): Promise<void> {
    return this.connected ? this.#lost.promise : Promise.resolve();
  }

  command(args: readonly string[], options?: { timeoutMs?: number }): Promise<unknown> {
    return this.#connection.command(args, options);
  }

  /** Puts the commit function into Redis. */
  async loadLibrary(): Promise<void> {
    await loadCommitLibrary(this);
  }

  /** Tells whether Redis has the commit function. */
  async hasLibrary(): Promise<boolean> {
    const reply = await this.command(['FUNCTION', 'LIST', 'LIBRARYNAME', libraryName]);
    return replyArray(reply, 'libraries').length > 0;
  }

  /** Looks at what this Redis is. Throws `redis_refused` when the tree cannot run on it. */
  verify(): Promise<RedisFacts> {
    return verifyRedis(this, { key: this.#keys.state('manager'), savesUsers: this.users.saved });
  }

  /** Tries the ways around the users of the tree. Throws `redis_unreachable`. */
  async openDoors(): Promise<OpenDoors> {
    const { tree, endpoint, credential, tls } = this.#options;
    const ours = (user: string) => user === credential.username || this.users.principalOf(user) !== undefined;
    return findOpenDoors(this, { tree, endpoint, tls }, ours);
  }

  /** Notes in the registry which process plays a name; `value` is JSON. */
  async setRegistry(name: string, value: string): Promise<void> {
    await this.command(['HSET', this.#keys.registry, name, value]);
  }

  /** Removes a name from the registry. */
  async deleteRegistry(name: string): Promise<void> {
    await this.command(['HDEL', this.#keys.registry, name]);
  }

  /** Reads the registry: name → JSON. */
  async registry(): Promise<Map<string, string>> {
    return decodeHash(await this.command(['HGETALL', this.#keys.registry]));
  }

  /** Has the connection replaced by one that shows the manager's present certificate; nothing is lost by it. */
  renewConnection(): void {
    this.#connection.renew();
  }

  close(): void {
    this.#connection.close();
  }
}
