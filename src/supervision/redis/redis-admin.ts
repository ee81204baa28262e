import { aclRules } from '../../identity/redis-acl.ts';
import { createRedisUser, redisUsername } from '../../identity/redis-user.ts';
import { libraryName, loadCommitLibrary } from '../../messaging/redis/commit-library.ts';
import type { RedisCommands } from '../../messaging/redis/redis-commands.ts';
import { RedisConnection, type RedisTls } from '../../messaging/redis/redis-connection.ts';
import { decodeHash, replyArray, replyString } from '../../messaging/redis/replies.ts';
import type { RedisCredential, RedisEndpoint } from '../../protocol/bootstrap.ts';
import { asElderError, ElderError } from '../../protocol/errors.ts';
import { treeKeys } from '../../protocol/keys.ts';
import { roleOf, type Servants } from '../../protocol/roster.ts';
import { findOpenDoors, type OpenDoors, reachOf } from './acl/open-doors.ts';
import { userDifferences } from './acl/user-rights.ts';

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

/** What the Redis in use is like; `warnings` name what weakens the guarantees of the tree. */
export interface RedisFacts {
  readonly version: string;
  readonly pid: number;
  readonly warnings: readonly string[];
}

/** The oldest Redis that has functions and ACL selectors. */
const oldestMajor = 7;

/**
 * What the manager does with Redis: users, incarnations, the commit function, the registry. It is the same
 * for a managed Redis and one of the user's. Methods throw `redis_unreachable`, `fenced` or `redis_refused`.
 */
export class RedisAdmin implements RedisCommands {
  readonly #options: RedisAdminOptions;
  readonly #keys: ReturnType<typeof treeKeys>;
  readonly #connection: RedisConnection;
  /** The last incarnation begun here, by principal. */
  readonly #begun = new Map<string, number>();
  /** Principals whose rights this server was tried with. */
  readonly #sampled = new Set<string>();
  #savesUsers = false;
  #lost = Promise.withResolvers<void>();

  /** Starts to connect; `ready` tells when it is done. */
  constructor(options: RedisAdminOptions) {
    this.#options = options;
    this.#keys = treeKeys(options.tree);
    const { tree, endpoint, credential, tls } = options;
    const onState = (connected: boolean, error?: ElderError) => {
      if (connected) this.#lost = Promise.withResolvers();
      else this.#lost.resolve();
      options.onState?.(connected, error);
    };
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
    const [, file] = replyArray(await this.command(['CONFIG', 'GET', 'aclfile']).catch(() => []), 'a list');
    this.#savesUsers = typeof file === 'string' && file !== '';
  }

  /** The last incarnation begun here, by principal. */
  get begun(): ReadonlyMap<string, number> {
    return this.#begun;
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

  /**
   * Begins a new incarnation of a principal: every older one is fenced before the new one's user exists, so
   * the two never write side by side.
   */
  async createIncarnation(name: string): Promise<RedisCredential> {
    const last = this.#begun.get(name);
    if (last !== undefined) return this.#succeed(name, last);
    const key = this.#keys.incarnation(name);
    const counted = this.command(['INCR', key]);
    counted.catch(() => undefined);
    // Redis carries out commands in their order, so what follows need not wait for the answers in between.
    const deleted = this.#deleteUsers(await this.#usersOf(name));
    deleted.catch(() => undefined);
    const incarnation = Number(await counted);
    this.#begun.set(name, incarnation);
    const { credential, made } = this.#makeUser(name, incarnation);
    await Promise.all([deleted, made, this.#saveUsers()]);
    return credential;
  }

  /** The number that the next incarnation gets, where it is known before Redis was asked. */
  nextIncarnation(name: string): number | null {
    const last = this.#begun.get(name);
    return last === undefined ? null : last + 1;
  }

  /** Follows an incarnation that was begun here: all that is to be done goes to Redis at once, in this order. */
  async #succeed(name: string, last: number): Promise<RedisCredential> {
    const { tree } = this.#options;
    const key = this.#keys.incarnation(name);
    const incarnation = last + 1;
    const counted = this.command(['INCR', key]);
    const deleted = this.#deleteUsers([redisUsername(tree, name, last)]);
    const { credential, made } = this.#makeUser(name, incarnation);
    // Before anybody gets the password: a Redis that ends now must not come back with the user of before.
    const saved = this.#saveUsers();
    const [count, ...others] = await Promise.allSettled([counted, deleted, made, saved]);
    const failed = [count, ...others].find(({ status }) => status === 'rejected');
    const number = count.status === 'fulfilled' ? Number(count.value) : last;
    if (failed !== undefined || number > incarnation) {
      // Nobody has its password; nobody will.
      await this.#deleteUsers([credential.username]).catch(() => undefined);
      this.#begun.set(name, Math.max(number, last));
      if (failed?.status === 'rejected') throw failed.reason;
      throw new ElderError('conflict', `somebody else has begun incarnation ${number} of ${name}`);
    }
    // Redis has lost the counter; a number that was used before must not come again.
    if (number < incarnation) await this.command(['SET', key, String(incarnation)]);
    this.#begun.set(name, incarnation);
    return credential;
  }

  #makeUser(name: string, incarnation: number): { credential: RedisCredential; made: Promise<unknown> } {
    const { tree, servants } = this.#options;
    const { credential, passwordHash } = createRedisUser(tree, name, incarnation);
    const rules = aclRules({ tree, name, servants, passwordSha256: passwordHash });
    const { username } = credential;
    const made = Promise.all([
      this.command(['ACL', 'SETUSER', username, ...rules]),
      this.#requireExactRights(name, username),
    ]);
    return { credential, made };
  }

  /** Fences every incarnation of a principal: its connections end, what it had queued is not carried out. */
  async revoke(name: string): Promise<void> {
    if (await this.#deleteUsers(await this.#usersOf(name))) await this.#saveUsers();
  }

  /** Lists the principals of this tree that have a user. */
  async principalsWithUsers(): Promise<string[]> {
    const users = replyArray(await this.command(['ACL', 'USERS']), 'users').map(String);
    return [...new Set(users.flatMap((user) => this.principalOf(user) ?? []))];
  }

  /** Gives the number of the last incarnation; 0 when there was none. */
  async incarnationOf(name: string): Promise<number> {
    return Number((await this.command(['GET', this.#keys.incarnation(name)])) ?? 0);
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
  async verify(): Promise<RedisFacts> {
    const info = replyString(await this.command(['INFO', 'server']), 'its description');
    const fact = (field: string) => new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
    const version = fact('redis_version');
    if (Number.parseInt(version, 10) < oldestMajor) {
      throw new ElderError('redis_refused', `Redis ${version} is too old: ${oldestMajor}.0 is the oldest`);
    }
    const warnings: string[] = [];
    const wanted = { 'maxmemory-policy': 'noeviction', appendonly: 'yes' };
    for (const [name, value] of Object.entries(wanted)) {
      const reply = await this.command(['CONFIG', 'GET', name]).catch(() => []);
      const [, present] = replyArray(reply, 'a list');
      if (present === undefined) warnings.push(`cannot see whether ${name} is ${value}`);
      else if (present !== value) warnings.push(`${name} is ${present}, not ${value}: messages can be lost`);
    }
    await this.#requireReplayRights();
    if (!this.#savesUsers) warnings.push('no aclfile: users are gone when Redis restarts');
    return { version, pid: Number(fact('process_id')), warnings };
  }

  /** Tries the ways around the users of the tree. Throws `redis_unreachable`. */
  async openDoors(): Promise<OpenDoors> {
    const { tree, endpoint, credential, tls } = this.#options;
    const ours = (user: string) => user === credential.username || this.principalOf(user) !== undefined;
    return findOpenDoors(this, { tree, endpoint, tls }, ours);
  }

  /** Fences the users of earlier managers that have other rights than the table of edges gives; gives why. */
  async fenceDeviantUsers(): Promise<string[]> {
    const { tree, servants } = this.#options;
    const users = replyArray(await this.command(['ACL', 'USERS']), 'users').map(String);
    const found: string[] = [];
    for (const user of users) {
      const name = this.principalOf(user);
      if (name === undefined) continue;
      const differences = await userDifferences(this, { tree, name, servants }, user);
      if (differences.length === 0) continue;
      found.push(...differences);
      await this.command(['ACL', 'DELUSER', user]);
    }
    if (found.length > 0) await this.#saveUsers();
    return found;
  }

  /**
   * Lists what a user may do that it should not: one of the tree by the table of edges, another where it reaches into the
   * tree. The admin itself may do everything.
   */
  async deviationsOf(user: string): Promise<string[]> {
    const { tree, servants, credential } = this.#options;
    if (user === credential.username) return [];
    const name = this.principalOf(user);
    if (name === undefined) return reachOf(this, tree, user);
    return userDifferences(this, { tree, name, servants }, user, { samples: false });
  }

  /** Fences one user, whatever it is called. */
  async deleteUser(user: string): Promise<void> {
    if (await this.#deleteUsers([user])) await this.#saveUsers();
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

  /**
   * Redis replays its append-only file with the rights of `default`: what that user may not do in a
   * transaction, and each commit is one, is dropped without stopping the start (seen in 7.0.15).
   */
  async #requireReplayRights(): Promise<void> {
    const key = this.#keys.state('manager');
    for (const command of [
      ['HSET', key, 'a', 'a'],
      ['HDEL', key, 'a'],
      ['XADD', key, '*', 'a', 'a'],
      ['XTRIM', key, 'MAXLEN', '1'],
      ['EXEC'],
    ]) {
      const verdict = await this.command(['ACL', 'DRYRUN', 'default', ...command]);
      if (verdict === 'OK') continue;
      throw new ElderError(
        'redis_refused',
        `a restart of this Redis would lose every commit, because its user default may not ${command[0]}; ` +
          'give it all rights and switch it off: ACL SETUSER default off resetpass ~* &* +@all',
      );
    }
  }

  /** A server that takes the rules and then lets a user do more, or less, is no wall. */
  async #requireExactRights(name: string, username: string): Promise<void> {
    const { tree, servants, onInsecure } = this.#options;
    // What the server makes of such rules is tried once; that it holds these rules is looked at each time.
    const samples = !this.#sampled.has(name);
    const found = await userDifferences(this, { tree, name, servants }, username, { samples });
    this.#sampled.add(name);
    if (found.length === 0) return;
    if (onInsecure) return onInsecure(found);
    await this.command(['ACL', 'DELUSER', username]);
    await this.#saveUsers();
    throw new ElderError(
      'redis_refused',
      `this Redis does not keep the rights of a user: ${found.join('; ')}`,
    );
  }

  /** Whose user this is; `undefined` for a user that is not of this tree. */
  principalOf(user: string): string | undefined {
    const { tree } = this.#options;
    const [, name] = /^\.([a-z0-9_]+)\.\d+$/.exec(user.startsWith(tree) ? user.slice(tree.length) : '') ?? [];
    return name !== undefined && roleOf(name) !== undefined ? name : undefined;
  }

  async #usersOf(name: string): Promise<string[]> {
    const stem = redisUsername(this.#options.tree, name, 0).slice(0, -1);
    const users = replyArray(await this.command(['ACL', 'USERS']), 'users');
    return users
      .map((user) => replyString(user, 'a user'))
      .filter((user) => user.startsWith(stem) && /^\d+$/.test(user.slice(stem.length)));
  }

  async #deleteUsers(users: readonly string[]): Promise<boolean> {
    if (users.length === 0) return false;
    await this.command(['ACL', 'DELUSER', ...users]);
    return true;
  }

  /** Without this a restarted Redis would know the users of before. */
  async #saveUsers(): Promise<void> {
    if (this.#savesUsers) await this.command(['ACL', 'SAVE']);
  }
}
