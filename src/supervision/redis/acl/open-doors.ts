import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { RedisCommands } from '../../../messaging/redis/redis-commands.ts';
import { connectionOptions, type RedisConnectionOptions } from '../../../messaging/redis/redis-connection.ts';
import { replyArray, replyString } from '../../../messaging/redis/replies.ts';
import { treeKeys } from '../../../protocol/keys.ts';
import { readUser } from './user-rights.ts';

/** How long a probe waits for an answer (ms); a server that has said nothing by then is not open that way. */
const probeMs = 1_500;

type Door = Pick<RedisConnectionOptions, 'tree' | 'endpoint' | 'tls'>;

/** Sends a PING with no login and gives the first line of the answer; nothing when there is none. */
async function pingWithoutLogin(
  where: { port: number; host: string },
  tls: ConnectionOptions | null,
): Promise<string> {
  const socket = tls === null ? connectPlain(where) : connectTls({ ...tls, ...where });
  const signal = AbortSignal.timeout(probeMs);
  try {
    socket.on('error', () => undefined);
    socket.end('PING\r\n');
    const ended = once(socket, 'close', { signal }).then(() => [Buffer.alloc(0)]);
    const [answer] = (await Promise.race([once(socket, 'data', { signal }), ended])) as [Buffer];
    return answer.toString('latin1').split('\r\n', 1)[0] as string;
  } catch {
    return '';
  } finally {
    socket.destroy();
  }
}

/** Whether a line is an answer of Redis and not, say, an alert of TLS. */
function isRedis(line: string): boolean {
  return /^[+-]/.test(line);
}

async function setting(redis: RedisCommands, name: string): Promise<string | null> {
  const reply = await redis.command(['CONFIG', 'GET', name]).catch(() => []);
  const [, value] = replyArray(reply, 'a list');
  return typeof value === 'string' ? value : null;
}

async function plaintextDoors(redis: RedisCommands, { endpoint }: Door): Promise<string[]> {
  const { host, port } = endpoint;
  const plain = Number((await setting(redis, 'port')) ?? 0);
  const doors = [port, ...(plain > 0 && plain !== port ? [plain] : [])];
  const answers = await Promise.all(doors.map((port) => pingWithoutLogin({ host, port }, null)));
  return doors.flatMap((port, index) =>
    isRedis(answers[index] as string) ? [`port ${port} speaks without TLS`] : [],
  );
}

async function doorWithoutLogin(redis: RedisCommands, door: Door): Promise<string[]> {
  const { host, port } = door.endpoint;
  const [answer, user] = await Promise.all([
    pingWithoutLogin({ host, port }, connectionOptions(door)),
    readUser(redis, 'default'),
  ]);
  const open = user?.flags.has('on') === true && user.flags.has('nopass');
  return open || answer.startsWith('+') ? ['it serves clients that have not logged in (user default)'] : [];
}

async function doorWithoutCertificate(door: Door): Promise<boolean> {
  const { cert: _, key: __, ...bare } = connectionOptions(door);
  return isRedis(await pingWithoutLogin({ host: door.endpoint.host, port: door.endpoint.port }, bare));
}

/** Other users of this Redis that reach into the tree. `ours` tells the users of the tree itself and its admin. */
async function strangers(
  redis: RedisCommands,
  tree: string,
  ours: (user: string) => boolean,
): Promise<string[]> {
  const users = replyArray(await redis.command(['ACL', 'USERS']), 'users')
    .map((user) => replyString(user, 'a user'))
    .filter((user) => !ours(user));
  return (await Promise.all(users.map((user) => reachOf(redis, tree, user)))).flat();
}

/** Tells whether a user that is not of the tree reaches into it; empty when it does not. Throws as the connection does. */
export async function reachOf(redis: RedisCommands, tree: string, user: string): Promise<string[]> {
  const keys = treeKeys(tree);
  const state = keys.state('grand_elder');
  const edge = keys.edge('grand_elder', 'gateway', 'normal');
  const [facts, ...verdicts] = await Promise.all([
    readUser(redis, user),
    ...[
      ['HGETALL', state],
      ['HSET', state, 'a', 'a'],
      ['DEL', state],
      ['XRANGE', edge, '-', '+'],
      ['XADD', edge, '*', 'a', 'a'],
      ['ACL', 'SETUSER', user],
      ['CONFIG', 'SET', 'dir', '/'],
      ['FLUSHALL'],
      ['EVAL', 'return 1', '1', state],
    ].map((command) => redis.command(['ACL', 'DRYRUN', user, ...command])),
  ]);
  if (!facts?.flags.has('on') || !verdicts.includes('OK')) return [];
  return [`its user ${user} reaches into the tree or over the whole server`];
}

/** What a look at a server came to. */
export interface OpenDoors {
  /** Why it is not safe to run a tree on; empty when it is. */
  readonly open: readonly string[];
  /** What is weaker than the tree's own Redis would be, but safe. */
  readonly weak: readonly string[];
}

/**
 * Tries the ways around the users of a tree on the server itself: without TLS, without login, by users of others.
 * `redis` is the admin. Throws as that connection does.
 */
export async function findOpenDoors(
  redis: RedisCommands,
  door: Door,
  ours: (user: string) => boolean,
): Promise<OpenDoors> {
  const [plain, login, users, bare] = await Promise.all([
    plaintextDoors(redis, door),
    doorWithoutLogin(redis, door),
    strangers(redis, door.tree, ours),
    doorWithoutCertificate(door),
  ]);
  return {
    open: [...plain, ...login, ...users],
    weak: bare ? ['it asks for no client certificate: the password alone tells who connects'] : [],
  };
}
