import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { RedisConnection } from '../../src/messaging/redis/redis-connection.ts';
import type { RedisCredential } from '../../src/protocol/bootstrap.ts';
import { edgeLanes, principals, targetsOf } from '../../src/protocol/edges.ts';
import { ElderError } from '../../src/protocol/errors.ts';
import { lanes } from '../../src/protocol/lanes.ts';
import { roster } from '../../src/protocol/roster.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
const credentials = new Map<string, RedisCredential>();
const servants = 2;
const elders = roster(servants);
const names = principals(elders);
const readersOfMany = ['task_sage', 'auditor'];

before(async () => {
  redis = await startTestRedis({ servants });
  for (const name of names) credentials.set(name, await redis.createIncarnation(name));
});
after(() => redis.stop());

/** Every key that a tree can have, and some that it cannot. */
function allKeys(): string[] {
  const { keys } = redis;
  const edges = names.flatMap((target) =>
    names.flatMap((source) => lanes.map((lane) => keys.edge(target, source, lane))),
  );
  const own = names.flatMap((name) => [
    keys.state(name),
    keys.positions(name),
    keys.journal(name),
    keys.incarnation(name),
  ]);
  const strange = [
    keys.registry,
    'elsewhere',
    `${keys.state('task_sage')}x`,
    `${keys.edge('servant_1', 'task_sage', 'low')}x`,
    `${keys.root}:in:servant_100:task_sage:low`,
    keys.edge('servant_1', 'task_sage', 'low').replace('{et:test}', '{et:other}'),
  ];
  return [...edges, ...own, ...strange];
}

async function may(name: string, ...command: string[]): Promise<boolean> {
  const user = credentials.get(name)!.username;
  return (await redis.admin.command(['ACL', 'DRYRUN', user, ...command])) === 'OK';
}

/** Lists the keys with which a command is allowed. */
async function allowed(name: string, commandFor: (key: string) => string[]): Promise<string[]> {
  const keys = allKeys();
  const verdicts = await Promise.all(keys.map((key) => may(name, ...commandFor(key))));
  return keys.filter((_, index) => verdicts[index]).sort();
}

const writes: Record<string, (key: string) => string[]> = {
  XADD: (key) => ['XADD', key, '*', 'q', '1'],
  XTRIM: (key) => ['XTRIM', key, 'MAXLEN', '1'],
  HSET: (key) => ['HSET', key, 'a', '1'],
  HDEL: (key) => ['HDEL', key, 'a'],
  FCALL: (key) => ['FCALL', 'elders_commit', '1', key],
};
const never: Record<string, (key: string) => string[]> = {
  SET: (key) => ['SET', key, '1'],
  DEL: (key) => ['DEL', key],
  INCR: (key) => ['INCR', key],
  EXPIRE: (key) => ['EXPIRE', key, '1'],
  RENAME: (key) => ['RENAME', key, key],
  XDEL: (key) => ['XDEL', key, '1-1'],
  XGROUP: (key) => ['XGROUP', 'CREATE', key, 'g', '$'],
  XRANGE: (key) => ['XRANGE', key, '-', '+'],
  EVAL: (key) => ['EVAL', 'return 1', '1', key],
  'another function': (key) => ['FCALL', 'other', '1', key],
};

suite('what each principal may do, on every key there is', () => {
  for (const name of names) {
    test(name, async () => {
      const { keys } = redis;
      const targets = targetsOf(name, elders);
      const outEdges = targets.flatMap((target) =>
        edgeLanes(name, target).map((lane) => keys.edge(target, name, lane)),
      );
      const own = [keys.state(name), keys.positions(name)];
      const writable = [...own, keys.journal(name), ...outEdges].sort();
      for (const [command, build] of Object.entries(writes)) {
        assert.deepEqual(await allowed(name, build), writable, command);
      }
      for (const [command, build] of Object.entries(never)) {
        assert.deepEqual(await allowed(name, build), [], command);
      }
      const readable = [
        ...own,
        keys.incarnation(name),
        ...targets.map((target) => keys.positions(target)),
        ...allKeys().filter((key) => key.startsWith(keys.inbox(name))),
      ];
      const isRead = new Set(readable);
      const reads = await allowed(name, (key) => ['XREAD', 'COUNT', '1', 'STREAMS', key, '0-0']);
      // The manager has no inbox and so no XREAD at all.
      assert.deepEqual(reads, name === 'manager' ? [] : [...isRead].sort());
      const hashes = await allowed(name, (key) => ['HGETALL', key]);
      assert.deepEqual(
        hashes.filter((key) => !isRead.has(key)),
        [],
      );
      for (const key of own) assert.ok(hashes.includes(key));
      assert.ok(await may(name, 'PUBLISH', keys.events, 'x'));
      assert.ok(!(await may(name, 'PUBLISH', 'other', 'x')));
      // Whoever writes to a reader of many edges may wake it; only the reader hears who does.
      for (const other of names) {
        const wakes = targets.includes(other) && readersOfMany.includes(other);
        const listens = other === name && readersOfMany.includes(other);
        assert.equal(await may(name, 'PUBLISH', keys.wakeUps(other), 'x'), wakes || listens, other);
        assert.equal(await may(name, 'SUBSCRIBE', keys.wakeUps(other)), listens, other);
      }
    });
  }
});

test('nobody may do what is the admin’s', async () => {
  const commands = [
    ['CONFIG', 'GET', 'dir'],
    ['ACL', 'WHOAMI'],
    ['ACL', 'LIST'],
    ['FUNCTION', 'LIST'],
    ['FUNCTION', 'FLUSH'],
    ['KEYS', '*'],
    ['SCAN', '0'],
    ['FLUSHALL'],
    ['SHUTDOWN'],
    ['CLIENT', 'LIST'],
    ['MONITOR'],
    ['DEBUG', 'SLEEP', '0'],
    ['REPLICAOF', 'NO', 'ONE'],
    ['SELECT', '1'],
    ['MULTI'],
  ];
  for (const name of names) {
    for (const command of commands) assert.ok(!(await may(name, ...command)), `${name} ${command.join(' ')}`);
  }
});

test('a live connection is held to it', async () => {
  const { keys, tree, endpoint } = redis;
  const tls = await redis.tlsOf('servant_1');
  const credential = credentials.get('servant_1')!;
  const connection = new RedisConnection({ tree, endpoint, credential, tls: () => tls });
  const refused = (error: unknown) => error instanceof ElderError && /^NOPERM/.test(error.reason);
  for (const lane of lanes) {
    const key = keys.edge('grand_elder', 'servant_1', lane);
    await assert.rejects(connection.command(['XADD', key, '*', 'q', '1', 'm', 'x']), refused);
    await connection.command(['XREAD', 'STREAMS', keys.edge('servant_1', 'task_sage', lane), '0-0']);
    const other = keys.edge('servant_2', 'task_sage', lane);
    await assert.rejects(connection.command(['XREAD', 'STREAMS', other, '0-0']), refused);
  }
  // The function has the rights of its caller and no more.
  const own = [keys.state('servant_1'), keys.positions('servant_1'), keys.journal('servant_1')];
  const secret = keys.state('grand_elder');
  const call = [
    'FCALL',
    'elders_commit',
    '3',
    ...own,
    secret,
    '1',
    '1',
    '9',
    '9',
    '',
    '0',
    '0',
    '0',
    '0',
    '0',
  ];
  await assert.rejects(connection.command(call), ElderError);
  connection.close();
});

test('without login, a certificate of the tree is of no use', async () => {
  const { tree, endpoint } = redis;
  const tls = await redis.tlsOf('servant_1');
  for (const credential of [
    { username: 'default', password: '' },
    { username: credentials.get('task_sage')!.username, password: 'guessed' },
  ]) {
    const connection = new RedisConnection({ tree, endpoint, credential, tls: () => tls });
    await assert.rejects(
      connection.command(['PING']),
      (error) => error instanceof ElderError && error.code === 'fenced',
    );
    connection.close();
  }
});
