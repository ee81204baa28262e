import { createHash } from 'node:crypto';
import { replyArray, replyString } from '../../../messaging/redis/replies.ts';
import type { RedisAdmin } from '../redis-admin.ts';

/** A user whose rights were changed while the tree ran. */
export interface ChangedUser {
  readonly user: string;
  /** Whose it is, where it is one of the tree. */
  readonly principal: string | undefined;
  readonly reason: string;
}

/**
 * Compares the users of Redis with what they were: `ACL LIST` gives all in one answer, and only who is new in it or
 * not as before is looked at by itself.
 */
export class AclWatch {
  readonly #admin: RedisAdmin;
  /** Users that may not change at all: those of a Redis that is the tree's own. */
  readonly #fixed: readonly string[];
  /** SHA-256 of the rules of each user, which hold hashes of passwords. */
  #known: ReadonlyMap<string, string> | null = null;

  constructor(admin: RedisAdmin, fixed: readonly string[]) {
    this.#admin = admin;
    this.#fixed = fixed;
  }

  /** Gives who may do more or less than it should since the look before; the first only remembers. Throws as the connection does. */
  async look(): Promise<ChangedUser[]> {
    const before = this.#known;
    const now = await this.#read();
    if (before === null) {
      this.#known = now;
      return [];
    }
    const fresh = [...now.keys()].filter((user) => now.get(user) !== before.get(user));
    const found = await Promise.all(fresh.map((user) => this.#changeOf(user, before.has(user))));
    this.#known = now;
    return found.flat();
  }

  async #changeOf(user: string, known: boolean): Promise<ChangedUser[]> {
    const principal = this.#admin.users.principalOf(user);
    const of = (reason: string) => [{ user, principal, reason }];
    if (known && this.#fixed.includes(user)) return of(`the rules of its user ${user} were changed`);
    const deviations = await this.#admin.users.deviationsOf(user);
    if (deviations.length === 0) return [];
    // One that was deleted since the list was made has no rights at all.
    const there = (await this.#admin.command(['ACL', 'GETUSER', user])) !== null;
    return there ? of(deviations.join('; ')) : [];
  }

  async #read(): Promise<Map<string, string>> {
    const rules = replyArray(await this.#admin.command(['ACL', 'LIST']), 'users');
    return new Map(
      rules.map((rule) => {
        const text = replyString(rule, 'a user');
        const [, name = ''] = text.split(' ', 2);
        return [name, createHash('sha256').update(text).digest('hex')];
      }),
    );
  }
}
