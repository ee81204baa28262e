import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Broker } from '../../../src/messaging/broker.ts';
import { replyArray } from '../../../src/messaging/redis/replies.ts';
import { type EdgeKey, edgeKey } from '../../../src/protocol/keys.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { commitOf, fromStart, messages } from '../conformance.ts';

let redis: TestRedis;
before(async () => {
  redis = await startTestRedis();
  // Every command is told, with its first arguments.
  await redis.admin.command(['CONFIG', 'SET', 'slowlog-log-slower-than', '0']);
});
after(() => redis.stop());
beforeEach(async () => {
  await redis.admin.command(['FLUSHDB']);
  await redis.admin.command(['SLOWLOG', 'RESET']);
});

const reader = 'task_sage';
const from = edgeKey('servant_1', 'normal');

/** What reads many edges, and one who writes into one of them. */
class Pair {
  readonly reader: Broker;
  readonly #writer: Broker;
  readonly #cursors: Map<EdgeKey, string>;
  #number = 0;

  constructor(both: { reader: Broker; writer: Broker }) {
    this.reader = both.reader;
    this.#writer = both.writer;
    const names = Array.from({ length: 40 }, (_, index) => `servant_${index + 1}`);
    const lanes = ['normal', 'low'] as const;
    this.#cursors = fromStart(...names.flatMap((name) => lanes.map((lane) => edgeKey(name, lane))));
  }

  static async open(options: { wakeUpTrustMs?: number } = {}): Promise<Pair> {
    const writer = await redis.brokerFor('servant_1');
    return new Pair({ reader: await redis.brokerFor(reader, options), writer });
  }

  /** Reads once. */
  async read(waitMs = 60_000): Promise<string[]> {
    const entries = await this.reader.read(new Map(this.#cursors), { count: 10, waitMs });
    for (const { edge, id } of entries) this.#cursors.set(edge, id);
    return entries.map(({ body }) => body);
  }

  /** Sends one message while the reader waits, and sees that it comes. */
  async pass(): Promise<void> {
    const reading = this.read();
    this.#number += 1;
    await this.#writer.commit(commitOf(this.#number, { send: messages(reader, 'normal', this.#number, 1) }));
    assert.deepEqual(await reading, [String(this.#number)]);
  }

  /** Goes on until a read has named no more than had been told of. */
  async untilWoken(): Promise<void> {
    while (!(await shortReads())) await this.pass();
  }
}

/** Whether Redis has served a read that names few edges. */
async function shortReads(): Promise<boolean> {
  const log = replyArray(await redis.admin.command(['SLOWLOG', 'GET', '1000']), 'a log');
  const commands = log.map((entry) => replyArray((entry as unknown[])[3], 'a command').map(String));
  return commands.some(([name, ...rest]) => name?.toUpperCase() === 'XREAD' && rest.length < 10);
}

/** A message of which nobody is told. */
const sendUnheard = (body: string) =>
  redis.admin.command(['XADD', redis.keys.edge(reader, 'servant_9', 'low'), '*', 'q', '1', 'm', body]);

test('a reader of many edges names those that it was told of', async () => {
  const pair = await Pair.open();
  await pair.untilWoken();
  await pair.reader.close();
});

test('what was lost of the wake-ups is found all the same', async () => {
  const pair = await Pair.open();
  await pair.untilWoken();
  await sendUnheard('unheard');
  assert.deepEqual(await pair.read(), ['unheard']);
  await pair.pass();
  await pair.reader.close();
});

test('without a right to wake or to listen everything arrives', async () => {
  const pair = await Pair.open();
  await pair.untilWoken();
  const users = replyArray(await redis.admin.command(['ACL', 'USERS']), 'users').map(String);
  for (const user of users.filter((name) => name.startsWith('test.'))) {
    await redis.admin.command(['ACL', 'SETUSER', user, 'resetchannels', 'clearselectors']);
    const keys = ['+fcall', '+xadd', '+xtrim', '+hset', '+hdel', '+hget', '~*'].join(' ');
    await redis.admin.command(['ACL', 'SETUSER', user, `(resetchannels ${keys})`]);
  }
  for (let count = 0; count < 20; count += 1) await pair.pass();
  await sendUnheard('unheard');
  assert.deepEqual(await pair.read(), ['unheard']);
  await pair.reader.close();
});

test('a wake-up names nothing that its reader does not read, and strange ones do no harm', async () => {
  const pair = await Pair.open();
  await pair.untilWoken();
  for (const text of ['', ' ', 'servant_1:normal', 'x:low', `${'servant_2:high '.repeat(1_000)}`, from]) {
    await redis.admin.command(['PUBLISH', redis.keys.wakeUps(reader), text]);
  }
  for (let count = 0; count < 5; count += 1) await pair.pass();
  await pair.reader.close();
});

test('relied on for ever, a lost wake-up loses a message', async () => {
  const pair = await Pair.open({ wakeUpTrustMs: 1e9 });
  await pair.untilWoken();
  await pair.pass();
  await sendUnheard('unheard');
  // Several times as long as the usual reader takes.
  assert.deepEqual(await pair.read(4_000), []);
  await pair.reader.close();
});
