import { aclRules, type RedisPrincipal } from '../../../identity/redis-acl.ts';
import { createRedisUser, redisUsername } from '../../../identity/redis-user.ts';
import type { RedisCommands } from '../../../messaging/redis/redis-commands.ts';
import { replyArray, replyString } from '../../../messaging/redis/replies.ts';
import type { RedisCredential } from '../../../protocol/bootstrap.ts';
import { ElderError } from '../../../protocol/errors.ts';
import { type TreeKeys, treeKeys } from '../../../protocol/keys.ts';
import { roleOf, type Servants } from '../../../protocol/roster.ts';
import { reachOf } from './open-doors.ts';
import { userDifferences } from './user-rights.ts';

interface RedisUsersOptions {
  readonly tree: string;
  /** The servants that the tree can have; their edges are in the rights of those who write to them. */
  readonly servants: Servants;
  /** Who may do everything. */
  readonly admin: string;
  /** Told what a user may do on this server beyond the table of edges; without it such a server is refused. */
  readonly onInsecure: ((reasons: readonly string[]) => void) | undefined;
}

/**
 * The users of one tree in Redis: one for each incarnation of a principal, with just the rights of the table of edges.
 * Methods throw `redis_unreachable`, `fenced` or `redis_refused`.
 */
export class RedisUsers {
  readonly #redis: RedisCommands;
  readonly #options: RedisUsersOptions;
  readonly #keys: TreeKeys;
  /** The last incarnation begun here, by principal. */
  readonly #begun = new Map<string, number>();
  /** Principals whose rights this server was tried with. */
  readonly #sampled = new Set<string>();
  /** The servants whose edges a user that is made now has. */
  #servants: Servants;
  /** The last user made here of each principal, with the servants of its edges. */
  readonly #made = new Map<string, { readonly username: string; readonly servants: Servants }>();
  #saved = false;

  constructor(redis: RedisCommands, options: RedisUsersOptions) {
    this.#redis = redis;
    this.#options = options;
    this.#keys = treeKeys(options.tree);
    this.#servants = options.servants;
  }

  /** Looks whether this Redis has a file of users. */
  async open(): Promise<void> {
    const [, file] = replyArray(
      await this.#redis.command(['CONFIG', 'GET', 'aclfile']).catch(() => []),
      'a list',
    );
    this.#saved = typeof file === 'string' && file !== '';
  }

  /** Whether users outlive a restart of this Redis. */
  get saved(): boolean {
    return this.#saved;
  }

  /** Gives the users that are made from now on the edges of these servants; those there are keep what they have. */
  widen(servants: Servants): void {
    this.#servants = servants;
  }

  /** The last incarnation begun here, by principal. */
  get begun(): ReadonlyMap<string, number> {
    return this.#begun;
  }

  /**
   * Begins a new incarnation of a principal: every older one is fenced before the new one's user exists, so
   * the two never write side by side.
   */
  async createIncarnation(name: string): Promise<RedisCredential> {
    const last = this.#begun.get(name);
    if (last !== undefined) return this.#succeed(name, last);
    const key = this.#keys.incarnation(name);
    const counted = this.#redis.command(['INCR', key]);
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
    const counted = this.#redis.command(['INCR', key]);
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
    if (number < incarnation) await this.#redis.command(['SET', key, String(incarnation)]);
    this.#begun.set(name, incarnation);
    return credential;
  }

  #makeUser(name: string, incarnation: number): { credential: RedisCredential; made: Promise<unknown> } {
    const { tree } = this.#options;
    const { credential, passwordHash } = createRedisUser(tree, name, incarnation);
    const { username } = credential;
    this.#made.set(name, { username, servants: this.#servants });
    const rules = aclRules({ ...this.#principal(name, username), passwordSha256: passwordHash });
    const made = Promise.all([
      this.#redis.command(['ACL', 'SETUSER', username, ...rules]),
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
    const users = replyArray(await this.#redis.command(['ACL', 'USERS']), 'users').map(String);
    return [...new Set(users.flatMap((user) => this.principalOf(user) ?? []))];
  }

  /** Gives the number of the last incarnation; 0 when there was none. */
  async incarnationOf(name: string): Promise<number> {
    return Number((await this.#redis.command(['GET', this.#keys.incarnation(name)])) ?? 0);
  }

  /** Fences the users of earlier managers that have other rights than the table of edges gives; gives why. */
  async fenceDeviantUsers(): Promise<string[]> {
    const users = replyArray(await this.#redis.command(['ACL', 'USERS']), 'users').map(String);
    const found: string[] = [];
    for (const user of users) {
      const name = this.principalOf(user);
      if (name === undefined) continue;
      const differences = await userDifferences(this.#redis, this.#principal(name, user), user);
      if (differences.length === 0) continue;
      found.push(...differences);
      await this.#redis.command(['ACL', 'DELUSER', user]);
    }
    if (found.length > 0) await this.#saveUsers();
    return found;
  }

  /**
   * Lists what a user may do that it should not: one of the tree by the table of edges, another where it reaches into the
   * tree. The admin itself may do everything.
   */
  async deviationsOf(user: string): Promise<string[]> {
    const { tree, admin } = this.#options;
    if (user === admin) return [];
    const name = this.principalOf(user);
    if (name === undefined) return reachOf(this.#redis, tree, user);
    return userDifferences(this.#redis, this.#principal(name, user), user, { samples: false });
  }

  /** Fences one user, whatever it is called. */
  async deleteUser(user: string): Promise<void> {
    if (await this.#deleteUsers([user])) await this.#saveUsers();
  }

  /** A server that takes the rules and then lets a user do more, or less, is no wall. */
  async #requireExactRights(name: string, username: string): Promise<void> {
    const { onInsecure } = this.#options;
    // What the server makes of such rules is tried once; that it holds these rules is looked at each time.
    const samples = !this.#sampled.has(name);
    const found = await userDifferences(this.#redis, this.#principal(name, username), username, { samples });
    this.#sampled.add(name);
    if (found.length === 0) return;
    if (onInsecure) return onInsecure(found);
    await this.#redis.command(['ACL', 'DELUSER', username]);
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

  /** Whose rights a user is to have: it keeps the servants that it was made with. */
  #principal(name: string, username: string): RedisPrincipal {
    const { tree, servants } = this.#options;
    const made = this.#made.get(name);
    return { tree, name, servants: made?.username === username ? made.servants : servants };
  }

  async #usersOf(name: string): Promise<string[]> {
    const stem = redisUsername(this.#options.tree, name, 0).slice(0, -1);
    const users = replyArray(await this.#redis.command(['ACL', 'USERS']), 'users');
    return users
      .map((user) => replyString(user, 'a user'))
      .filter((user) => user.startsWith(stem) && /^\d+$/.test(user.slice(stem.length)));
  }

  async #deleteUsers(users: readonly string[]): Promise<boolean> {
    if (users.length === 0) return false;
    await this.#redis.command(['ACL', 'DELUSER', ...users]);
    return true;
  }

  /** Without this a restarted Redis would know the users of before. */
  async #saveUsers(): Promise<void> {
    if (this.#saved) await this.#redis.command(['ACL', 'SAVE']);
  }
}
