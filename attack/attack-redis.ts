import type { RedisCredential } from '../src/protocol/bootstrap.ts';
import { treeKeys } from '../src/protocol/keys.ts';
import { keyRing, Oracle } from './oracle.ts';
import { type Door, RawRedis } from './raw-redis.ts';
import { type CommandSpec, callOf, takesKeys } from './redis-commands.ts';
import type { Tally } from './tally.ts';

/** An identity with what it takes to use it. */
export interface Stolen {
  readonly name: string;
  readonly servants: number;
  readonly door: Door;
  readonly credential: RedisCredential;
}

/** A user of Redis that somebody else tries to be; `subject` is what the audit log calls it. */
export interface LoginTarget {
  readonly username: string;
  readonly subject: string;
}

/** Commands that are under way at a time. */
const window = 2_000;
/** Answers that say nothing about rights: the command was put together wrongly. */
const misshapen = /^ERR (unknown (sub)?command|wrong number of arguments for '[a-z|]+' command$)/;

/** What Redis refuses whoever asks, before it looks at rights. */
const switchedOff = /^ERR (MODULE|DEBUG) command not allowed/;

async function inWindows<Item>(items: readonly Item[], each: (item: Item) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += window) {
    await Promise.all(items.slice(at, at + window).map(each));
  }
}

/** Tries every command of the server with every key of the ring, as one identity. */
export async function tryCommands(
  { name, servants, door, credential }: Stolen,
  commands: readonly CommandSpec[],
  tally: Tally,
): Promise<void> {
  const who = { tree: door.tree, name, servants };
  const oracle = new Oracle(who);
  const keys = treeKeys(door.tree);
  const ring = keyRing(who);
  const channels = [keys.events, treeKeys(`${door.tree}x`).events, 'x'];
  const calls = commands
    .filter(({ noLogin }) => !noLogin)
    .flatMap((spec) => {
      const isChannel = spec.name === 'publish' || spec.name === 'subscribe';
      const subjects = isChannel ? channels : takesKeys(spec) ? ring : ['x'];
      return subjects.map((key) => ({ spec, key, args: callOf(spec, key) }));
    })
    // Its answer would turn the connection into one that only listens.
    .filter(({ spec, key }) => spec.name !== 'subscribe' || key !== keys.events);
  const redis = await RawRedis.login(door, credential);
  try {
    await inWindows(calls, async ({ spec, key, args }) => {
      const { error } = await redis.send(args);
      // A refused EXEC quotes its reason.
      const denied = error !== null && /^(NOPERM|EXECABORT .* NOPERM) /.test(error);
      const off = error !== null && switchedOff.test(error);
      const what = `${name}: ${args.join(' ').slice(0, 200)} → ${error ?? 'done'}`;
      if (oracle.allows(spec.name, key)) {
        tally.control(what, !denied);
        return;
      }
      // Such an answer comes before any look at rights, so the attempt would prove nothing.
      if (error !== null && misshapen.test(error)) throw new Error(`a call that Redis cannot read: ${what}`);
      const audit = off ? 'redis_off ' : `redis_acl ${name}`;
      tally.attempt({ part: 'redis', what, allowed: !denied && !off, audit });
    });
  } finally {
    redis.close();
  }
}

/** Tries to be somebody else on Redis: guessed and own passwords for others, nobody at all, other functions. */
export async function tryLogins(stolen: Stolen, others: readonly LoginTarget[], tally: Tally): Promise<void> {
  const { name, door, credential } = stolen;
  const guesses = ['', 'password', credential.password, credential.password.toLowerCase()];
  const redis = await RawRedis.login(door, credential);
  try {
    for (const { username, subject } of others.filter(({ subject }) => subject !== name)) {
      for (const guess of guesses) {
        for (const args of [
          ['AUTH', username, guess],
          ['HELLO', '2', 'AUTH', username, guess],
        ]) {
          const { error } = await redis.send(args);
          tally.attempt({
            part: 'logins',
            what: `${name} as ${username}`,
            allowed: error === null,
            audit: `redis_login ${subject}`,
          });
        }
      }
    }
    // Still itself, whatever was refused.
    tally.control(`${name} stays itself`, (await redis.send(['PING'])).error === null);
    await redis.send(['RESET']);
    for (const args of [['PING'], ['GET', 'x'], ['FLUSHALL'], ['ACL', 'LIST']]) {
      const { error } = await redis.send(args);
      const what = `${name} without a login: ${args[0]}`;
      tally.attempt({ part: 'logins', what, allowed: error === null, audit: 'redis_login ' });
    }
  } finally {
    redis.close();
  }
}
