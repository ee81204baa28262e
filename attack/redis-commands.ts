import type { RedisCommands } from '../src/messaging/redis/redis-commands.ts';
import { replyArray } from '../src/messaging/redis/replies.ts';

/** A command as the server describes it. */
export interface CommandSpec {
  /** Such as `hget` or `config|set`. */
  readonly name: string;
  readonly arity: number;
  readonly noLogin: boolean;
  readonly keySpecs: readonly KeySpec[];
}

interface KeySpec {
  readonly begin: { readonly type: string; readonly spec: ReadonlyMap<string, unknown> };
  readonly find: { readonly type: string; readonly spec: ReadonlyMap<string, unknown> };
}

function fields(reply: unknown): Map<string, unknown> {
  const flat = replyArray(reply, 'fields');
  const map = new Map<string, unknown>();
  for (let at = 0; at + 1 < flat.length; at += 2) map.set(String(flat[at]), flat[at + 1]);
  return map;
}

function typed(reply: unknown): { type: string; spec: Map<string, unknown> } {
  const map = fields(reply);
  return { type: String(map.get('type')), spec: fields(map.get('spec') ?? []) };
}

function specsOf(reply: unknown): CommandSpec[] {
  const [name, arity, flags, , , , , , keySpecs, subcommands] = replyArray(reply, 'a command');
  const own: CommandSpec = {
    name: String(name).toLowerCase(),
    arity: Number(arity),
    noLogin: replyArray(flags, 'flags').includes('no_auth'),
    keySpecs: replyArray(keySpecs, 'key specs').map((spec) => {
      const map = fields(spec);
      return { begin: typed(map.get('begin_search')), find: typed(map.get('find_keys')) };
    }),
  };
  const below = replyArray(subcommands, 'subcommands').flatMap(specsOf);
  // A container is no command: Redis knows only what is in it.
  return below.length > 0 ? below : [own];
}

/** Asks the server for every command that it knows, with the subcommands. */
export async function listCommands(redis: RedisCommands): Promise<CommandSpec[]> {
  return replyArray(await redis.command(['COMMAND']), 'commands').flatMap(specsOf);
}

/** Forms of the commands that somebody may use, in which they get through the check of rights and change nothing. */
const harmless: Readonly<Record<string, (key: string) => string[]>> = {
  xread: (key) => ['XREAD', 'COUNT', '1', 'STREAMS', key, '0-0'],
  xadd: (key) => ['XADD', key, '0-0', 'a', 'a'],
  xtrim: (key) => ['XTRIM', key, 'MAXLEN', '1000000000'],
  hset: (key) => ['HSET', key, 'a', 'a', 'b'],
  hdel: (key) => ['HDEL', key, 'no such field'],
  hget: (key) => ['HGET', key, 'no such field'],
  fcall: (key) => ['FCALL', 'elders_commit', '1', key],
  publish: (channel) => ['PUBLISH', channel, '{}'],
};

/** Builds a call of a command with this key wherever the server expects one. */
export function callOf({ name, arity, keySpecs }: CommandSpec, key: string): string[] {
  const form = harmless[name];
  if (form) return form(key);
  const args = name.toUpperCase().split('|');
  const put = (at: number, value: string) => {
    while (args.length <= at) args.push('1');
    args[at] = value;
  };
  put(Math.abs(arity) - 1, args[Math.abs(arity) - 1] ?? '1');
  for (const { begin, find } of keySpecs) {
    // Where the server itself cannot say where the keys stand.
    if (begin.type !== 'index' && begin.type !== 'keyword') continue;
    const number = (spec: ReadonlyMap<string, unknown>, field: string) => Number(spec.get(field) ?? 0);
    let first = number(begin.spec, 'index');
    if (begin.type === 'keyword') {
      first = args.length + 1;
      put(first - 1, String(begin.spec.get('keyword')));
    }
    if (find.type === 'keynum') {
      put(first + number(find.spec, 'keynumidx'), '1');
      put(first + number(find.spec, 'firstkey'), key);
    } else {
      const last = first + Math.max(0, number(find.spec, 'lastkey'));
      for (let at = first; at <= last; at += Math.max(1, number(find.spec, 'keystep'))) put(at, key);
    }
  }
  return args;
}

/** Whether a key stands in a command, so that trying it with several makes a difference. */
export function takesKeys({ name, keySpecs }: CommandSpec): boolean {
  return keySpecs.length > 0 || name === 'publish' || name === 'subscribe';
}
