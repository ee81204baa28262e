import type { RedisCommands } from '../../../messaging/redis/redis-commands.ts';
import { replyArray } from '../../../messaging/redis/replies.ts';
import type { AuditEntry } from '../../../protocol/audit.ts';

/** Entries that the ACL log of Redis is to hold; at some 600 bytes each, 12 MB at most. */
export const aclLogLength = 20_000;

/** Texts that whoever is denied can choose, such as a key, are kept up to so many characters. */
const longestText = 256;

/** What Redis has denied since the last reading. */
export interface Denials {
  readonly entries: readonly AuditEntry[];
  /** The log was full: what else was denied is not known. */
  readonly overflow: boolean;
  /** What tells whether Redis refused anything at all since it was last taken: its counters of errors. */
  readonly errors: string;
  /** By command, how often since its start Redis refused what its configuration switches off, whoever asks; `null` when nothing was refused since. */
  readonly switchedOff: ReadonlyMap<string, number> | null;
  /** Commands refused since Redis was started, because their client had not logged in. */
  readonly withoutLogin: number;
}

function short(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText)}…` : text;
}

function clientFacts(info: string): { addr: string; cmd: string } {
  const fact = (name: string) => new RegExp(`(?:^| )${name}=(\\S*)`).exec(info)?.[1] ?? '';
  return { addr: fact('addr'), cmd: fact('cmd') };
}

function toEntry(
  fields: ReadonlyMap<string, unknown>,
  nameOf: (user: string) => string,
  now: number,
): AuditEntry {
  const text = (name: string) => String(fields.get(name) ?? '');
  const { addr, cmd } = clientFacts(text('client-info'));
  const reason = text('reason');
  const username = short(text('username'));
  // What is counted together lies within a minute; the age is that of the last one.
  const lastAt = Math.round(now - Number(text('age-seconds')) * 1_000);
  const count = Number(fields.get('count') ?? 1);
  return {
    kind: 'denial',
    event: reason === 'auth' ? 'redis_login' : 'redis_acl',
    by: 'redis',
    subject: nameOf(username),
    // The log names the command or what it was about, never both; the other comes from the last client.
    ...(reason === 'command' || reason === 'auth' ? {} : { object: short(text('object')) }),
    action: reason === 'command' ? short(text('object')) : cmd,
    reason,
    at: Number.isFinite(lastAt) ? lastAt : now,
    count,
    detail: { user: username, addr, context: text('context') },
  };
}

function decodeEntry(reply: unknown): Map<string, unknown> {
  const flat = replyArray(reply, 'an entry of the ACL log');
  const fields = new Map<string, unknown>();
  for (let at = 0; at + 1 < flat.length; at += 2) fields.set(String(flat[at]), flat[at + 1]);
  return fields;
}

/** Commands that Redis refuses by its configuration before it looks at rights, so that its ACL log never has them. */
const guarded = ['debug', 'module|load', 'module|loadex', 'module|unload'];

function rejected(info: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [, name, count] of info.matchAll(/^cmdstat_([^:]+):.*rejected_calls=(\d+)/gm)) {
    if (guarded.includes(name as string)) counts.set(name as string, Number(count));
  }
  return counts;
}

/**
 * Takes everything out of the ACL log of Redis: reading and emptying are one transaction, so no entry falls between.
 * `limit` is the length of the log, `nameOf` tells whose a user is, `errors` is what the last reading gave. Throws
 * as the connection does.
 */
export async function takeDenials(
  redis: RedisCommands,
  options: { limit: number; nameOf: (user: string) => string; errors: string | null },
): Promise<Denials> {
  const first = await takeOnce(redis, options, ['errorstats']);
  if (first.errors === options.errors) return { ...first, switchedOff: null };
  // The counters by command are long, and of one moment with the log only if both are read together.
  const { entries, overflow, ...second } = await takeOnce(redis, options, ['errorstats', 'commandstats']);
  return { ...second, entries: [...first.entries, ...entries], overflow: first.overflow || overflow };
}

async function takeOnce(
  redis: RedisCommands,
  { limit, nameOf }: { limit: number; nameOf: (user: string) => string },
  sections: readonly string[],
): Promise<Denials> {
  // Sent without a pause between them, which keeps other commands of this connection out of the transaction.
  const replies = [
    redis.command(['MULTI']),
    redis.command(['ACL', 'LOG', String(limit)]),
    redis.command(['ACL', 'LOG', 'RESET']),
    redis.command(['INFO', ...sections]),
    redis.command(['EXEC']),
  ];
  const [, , , , reply] = await Promise.all(replies);
  const [found, , info] = replyArray(reply, 'what was denied');
  const counters = String(info);
  const entries = replyArray(found, 'the ACL log').map(decodeEntry);
  const now = Date.now();
  return {
    entries: entries.map((fields) => toEntry(fields, nameOf, now)).reverse(),
    overflow: entries.length >= limit,
    errors: [...counters.matchAll(/^errorstat_.*$/gm)].map(([line]) => line).join('\n'),
    withoutLogin: Number(/errorstat_NOAUTH:count=(\d+)/.exec(counters)?.[1] ?? 0),
    switchedOff: rejected(counters),
  };
}
