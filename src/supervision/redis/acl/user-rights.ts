import { type RedisGrant, type RedisPrincipal, redisRights } from '../../../identity/redis-acl.ts';
import type { RedisCommands } from '../../../messaging/redis/redis-commands.ts';
import { replyArray, replyString } from '../../../messaging/redis/replies.ts';
import { aclCases } from './acl-cases.ts';

/** A user as `ACL GETUSER` tells it. */
interface RedisUser {
  readonly flags: ReadonlySet<string>;
  readonly passwords: readonly string[];
  readonly own: RedisGrant;
  readonly selectors: readonly RedisGrant[];
}

function words(reply: unknown): string[] {
  // Redis 7 gives keys and channels as one text, newer ones may give lists.
  if (Array.isArray(reply)) return reply.map(String);
  return typeof reply === 'string' && reply !== '' ? reply.split(' ') : [];
}

function fieldsOf(reply: unknown): Map<string, unknown> {
  const flat = replyArray(reply, 'a user');
  const fields = new Map<string, unknown>();
  for (let at = 0; at + 1 < flat.length; at += 2) {
    fields.set(replyString(flat[at], 'a field'), flat[at + 1]);
  }
  return fields;
}

function grantOf(fields: ReadonlyMap<string, unknown>): RedisGrant {
  return {
    commands: words(fields.get('commands')),
    keys: words(fields.get('keys')),
    channels: words(fields.get('channels')),
  };
}

/** Reads a user as the server holds it; `null` when there is none. Throws as the connection does. */
export async function readUser(redis: RedisCommands, username: string): Promise<RedisUser | null> {
  const reply = await redis.command(['ACL', 'GETUSER', username]);
  if (reply === null) return null;
  const fields = fieldsOf(reply);
  const selectors = replyArray(fields.get('selectors') ?? [], 'selectors');
  return {
    flags: new Set(words(fields.get('flags'))),
    passwords: words(fields.get('passwords')),
    own: grantOf(fields),
    selectors: selectors.map((selector) => grantOf(fieldsOf(selector))),
  };
}

function differences(where: string, wanted: RedisGrant, found: RedisGrant): string[] {
  // Every grant begins with nothing allowed; the server writes that down, we do not.
  const kinds = [
    ['commands', ['-@all', ...wanted.commands], found.commands],
    ['keys', wanted.keys, found.keys],
    ['channels', wanted.channels, found.channels],
  ] as const;
  return kinds.flatMap(([kind, expected, present]) => {
    const more = present.filter((word) => !expected.includes(word as never));
    const less = expected.filter((word) => !present.includes(word));
    return [
      ...(more.length > 0 ? [`${where} has ${kind} ${more.join(' ')} that it must not have`] : []),
      ...(less.length > 0 ? [`${where} lacks ${kind} ${less.join(' ')}`] : []),
    ];
  });
}

/**
 * Compares what a user may do on the server with what the table of edges gives its principal: by its rules as the
 * server holds them and, unless `samples` is off, by what the server itself says to samples. Lists the differences; empty when there are none.
 */
export async function userDifferences(
  redis: RedisCommands,
  principal: RedisPrincipal,
  username: string,
  { samples = true }: { samples?: boolean } = {},
): Promise<string[]> {
  const [user, tried] = await Promise.all([
    readUser(redis, username),
    samples ? triedDifferences(redis, principal, username) : [],
  ]);
  if (user === null) return [`there is no user ${username}`];
  const wanted = redisRights(principal);
  const found: string[] = [];
  for (const flag of ['nopass', 'off', 'allkeys', 'allcommands', 'allchannels']) {
    if (user.flags.has(flag)) found.push(`${username} is ${flag}`);
  }
  if (user.passwords.length !== 1) found.push(`${username} has ${user.passwords.length} passwords, not 1`);
  found.push(...differences(username, wanted.own, user.own));
  if (user.selectors.length !== wanted.selectors.length) {
    const [is, must] = [user.selectors.length, wanted.selectors.length];
    found.push(`${username} has ${is} selectors, not ${must}`);
  }
  for (const [index, selector] of wanted.selectors.entries()) {
    const present = user.selectors[index];
    if (present) found.push(...differences(`${username}, selector ${index + 1},`, selector, present));
  }
  return [...found, ...tried];
}

async function triedDifferences(
  redis: RedisCommands,
  principal: RedisPrincipal,
  username: string,
): Promise<string[]> {
  const verdicts = aclCases(principal).map(async ({ command, allowed }) => {
    const verdict = await redis.command(['ACL', 'DRYRUN', username, ...command]);
    if ((verdict === 'OK') === allowed) return [];
    const line = command.slice(0, 3).join(' ');
    return [`${username} ${allowed ? 'may not' : 'may'} ${line}, which it must${allowed ? '' : ' not'}`];
  });
  return (await Promise.all(verdicts)).flat();
}
