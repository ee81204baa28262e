import assert from 'node:assert/strict';
import { afterEach, beforeEach, suite, test } from 'node:test';
import type { Broker, Commit, Entry, Outgoing } from '../../src/messaging/broker.ts';
import { compareStreamIds } from '../../src/messaging/stream-id.ts';
import { ElderError } from '../../src/protocol/errors.ts';
import { type EdgeKey, edgeKey } from '../../src/protocol/keys.ts';
import type { Lane } from '../../src/protocol/lanes.ts';

/** Makes brokers of one kind for the suite. */
export interface BrokerHarness {
  /** Forgets all data. */
  reset(): Promise<void>;
  /** A broker of a new incarnation of an elder. */
  open(name: string, limits?: { edgeLimit?: number; retain?: number }): Promise<Broker>;
}

const start = '0-0';

/** A commit that changes nothing but what is given. */
export function commitOf(number: number, changes: Partial<Omit<Commit, 'number'>> = {}): Commit {
  return {
    number,
    set: new Map(),
    remove: new Set(),
    positions: new Map(),
    send: [],
    journal: null,
    ...changes,
  };
}

/** Messages to one target, with bodies `<first>`, `<first + 1>`, … */
export function messages(target: string, lane: Lane, first: number, count: number): Outgoing[] {
  return Array.from({ length: count }, (_, index) => ({ target, lane, body: String(first + index) }));
}

/** Cursors at the start of these edges. */
export function fromStart(...edges: EdgeKey[]): Map<EdgeKey, string> {
  return new Map(edges.map((edge) => [edge, start]));
}

/** Tells whether an error is an ElderError of this code. */
export function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof ElderError && error.code === code;
}

/** Reads an edge from its start to its end as it stands now. */
export async function readAll(broker: Broker, edge: EdgeKey): Promise<Entry[]> {
  const all: Entry[] = [];
  for (let cursor = start; ; cursor = all.at(-1)!.id) {
    const page = await broker.read(new Map([[edge, cursor]]), { count: 1000, waitMs: 0 });
    if (page.length === 0) return all;
    all.push(...page);
  }
}

const toServant = edgeKey('task_sage', 'normal');

/** Proves that a broker keeps the contract of `Broker`; the same for every kind. */
export function brokerConformance(title: string, harness: () => BrokerHarness): void {
  suite(title, () => {
    const open: Broker[] = [];
    const make: BrokerHarness['open'] = async (name, limits) => {
      const broker = await harness().open(name, limits);
      open.push(broker);
      return broker;
    };
    beforeEach(() => harness().reset());
    afterEach(() => Promise.all(open.splice(0).map((broker) => broker.close())));

    test('a new elder has nothing', async () => {
      const sage = await make('task_sage');
      assert.deepEqual(await sage.load(), { commitNumber: 0, fields: new Map(), positions: new Map() });
    });

    test('a commit lands with all that is in it', async () => {
      const sage = await make('task_sage');
      const servant = await make('servant_1');
      const position = { id: '12-3', sequence: 7 };
      const answer = await sage.commit(
        commitOf(1, {
          set: new Map([
            ['tasks/1', '{"a":"課題"}'],
            ['@run/last', 'x'],
          ]),
          positions: new Map([[edgeKey('servant_1', 'high'), position]]),
          send: [...messages('servant_1', 'normal', 1, 2), ...messages('servant_2', 'low', 1, 1)],
          journal: '[]',
        }),
      );
      assert.deepEqual(answer, { kind: 'ok' });
      const snapshot = await sage.load();
      assert.equal(snapshot.commitNumber, 1);
      assert.deepEqual(Object.fromEntries(snapshot.fields), { 'tasks/1': '{"a":"課題"}', '@run/last': 'x' });
      assert.deepEqual(Object.fromEntries(snapshot.positions), { 'servant_1:high': position });
      const entries = await readAll(servant, toServant);
      assert.deepEqual(
        entries.map(({ edge, sequence, body }) => ({ edge, sequence, body })),
        [
          { edge: toServant, sequence: 1, body: '1' },
          { edge: toServant, sequence: 2, body: '2' },
        ],
      );
      assert.match(entries[0]!.id, /^\d+-\d+(\.\d+)?$/);
    });

    test('messages that share fields come as they were sent, between others that share none or other ones', async () => {
      const sage = await make('task_sage');
      const servant = await make('servant_1');
      const parts = [
        ...[
          { body: '{"a":1}', head: '{"x":1}' },
          { body: '{"a":2}', head: '{"x":1}' },
        ],
        ...[{ body: '{"a":3}', head: '{"x":2}' }, { body: '^4' }, { body: '5' }],
        ...[
          { body: `{"a":"${'6'.repeat(40_000)}"}`, head: '{"x":2}' },
          { body: '{"a":7}', head: '{"x":2}' },
        ],
      ];
      const send = parts.map((part) => ({ target: 'servant_1', lane: 'normal' as const, ...part }));
      for (const [index, message] of send.entries()) {
        assert.deepEqual(await sage.commit(commitOf(index + 1, { send: [message] })), { kind: 'ok' });
      }
      assert.deepEqual(await sage.commit(commitOf(send.length + 1, { send })), { kind: 'ok' });
      const entries = await readAll(servant, toServant);
      assert.deepEqual(
        entries.map(({ body, head }) => ({ body, ...(head !== undefined && { head }) })),
        [...parts, ...parts],
      );
      assert.deepEqual(
        entries.map(({ sequence }) => sequence),
        entries.map((_, index) => index + 1),
      );
    });

    test('the next incarnation finds what the last one left', async () => {
      const first = await make('task_sage');
      await first.commit(
        commitOf(1, {
          set: new Map([
            ['kept', '1'],
            ['gone', '1'],
          ]),
        }),
      );
      await first.commit(commitOf(2, { set: new Map([['kept', '2']]), remove: new Set(['gone', 'never']) }));
      const second = await make('task_sage');
      const snapshot = await second.load();
      assert.equal(snapshot.commitNumber, 2);
      assert.deepEqual(Object.fromEntries(snapshot.fields), { kept: '2' });
      assert.deepEqual(await second.commit(commitOf(3)), { kind: 'ok' });
    });

    test('a commit of thousands of fields and messages lands', async () => {
      const sage = await make('task_sage');
      const servant = await make('servant_1');
      const set = new Map(Array.from({ length: 5_001 }, (_, index) => [`f${index}`, String(index)]));
      const send = messages('servant_1', 'normal', 1, 4_001);
      assert.deepEqual(await sage.commit(commitOf(1, { set, send })), { kind: 'ok' });
      assert.deepEqual((await sage.load()).fields, set);
      const entries = await readAll(servant, toServant);
      assert.deepEqual(
        entries.map((entry) => entry.body),
        send.map((message) => message.body),
      );
      const remove = new Set(set.keys());
      assert.deepEqual(await sage.commit(commitOf(2, { remove })), { kind: 'ok' });
      assert.equal((await sage.load()).fields.size, 0);
    });

    test('a commit that is sent again lands once', async () => {
      const sage = await make('task_sage');
      const servant = await make('servant_1');
      const commit = commitOf(1, { send: messages('servant_1', 'normal', 1, 1) });
      assert.deepEqual(await sage.commit(commit), { kind: 'ok' });
      assert.deepEqual(await sage.commit(commit), { kind: 'stale', number: 1 });
      assert.equal((await readAll(servant, toServant)).length, 1);
    });

    test('a commit out of step changes nothing', async () => {
      const sage = await make('task_sage');
      const servant = await make('servant_1');
      const commit = commitOf(3, { set: new Map([['a', '1']]), send: messages('servant_1', 'normal', 1, 1) });
      assert.deepEqual(await sage.commit(commit), { kind: 'stale', number: 0 });
      assert.equal((await sage.load()).fields.size, 0);
      assert.deepEqual(await readAll(servant, toServant), []);
    });

    test('a state field of the broker’s own is refused', async () => {
      const sage = await make('task_sage');
      for (const field of ['@n', '@out:servant_1:normal']) {
        await assert.rejects(sage.commit(commitOf(1, { set: new Map([[field, '9']]) })), hasCode('internal'));
        await assert.rejects(sage.commit(commitOf(1, { remove: new Set([field]) })), hasCode('internal'));
      }
      assert.equal((await sage.load()).commitNumber, 0);
    });

    test('a full edge refuses the whole commit until its reader has committed', async () => {
      const sage = await make('task_sage', { edgeLimit: 4 });
      const servant = await make('servant_1');
      const other = await make('servant_2');
      assert.deepEqual(await sage.commit(commitOf(1, { send: messages('servant_1', 'normal', 1, 3) })), {
        kind: 'ok',
      });
      const tooMuch = commitOf(2, {
        set: new Map([['a', '1']]),
        positions: new Map([[edgeKey('servant_1', 'high'), { id: '1-1', sequence: 1 }]]),
        send: [...messages('servant_2', 'high', 1, 1), ...messages('servant_1', 'normal', 4, 2)],
        journal: '[]',
      });
      const full = { kind: 'full', target: 'servant_1', lane: 'normal' };
      assert.deepEqual(await sage.commit(tooMuch), full);
      const untouched = await sage.load();
      assert.deepEqual([untouched.commitNumber, untouched.fields.size, untouched.positions.size], [1, 0, 0]);
      assert.deepEqual(await readAll(other, edgeKey('task_sage', 'high')), []);

      const [first] = await readAll(servant, toServant);
      const handled = new Map([[toServant, { id: first!.id, sequence: first!.sequence }]]);
      assert.deepEqual(await servant.commit(commitOf(1, { positions: handled })), { kind: 'ok' });
      assert.deepEqual(await sage.commit(tooMuch), { kind: 'ok' });
      assert.deepEqual(
        (await readAll(servant, toServant)).map((entry) => entry.body),
        ['1', '2', '3', '4', '5'],
      );
    });

    test('entries of an edge come in order and counted, edges apart, at most so many each', async () => {
      const sage = await make('task_sage');
      const servant = await make('servant_1');
      for (let number = 1; number <= 5; number += 1) {
        const send = [
          ...messages('servant_1', 'normal', number * 10, 3),
          ...messages('servant_1', 'high', number, 1),
        ];
        await sage.commit(commitOf(number, { send }));
      }
      const high = edgeKey('task_sage', 'high');
      const entries = await servant.read(fromStart(toServant, high), { count: 4, waitMs: 0 });
      const of = (edge: EdgeKey) => entries.filter((entry) => entry.edge === edge);
      assert.deepEqual(
        of(toServant).map(({ sequence, body }) => [sequence, body]),
        [
          [1, '10'],
          [2, '11'],
          [3, '12'],
          [4, '20'],
        ],
      );
      assert.deepEqual(
        of(high).map(({ sequence }) => sequence),
        [1, 2, 3, 4],
      );
      const cursor = of(toServant).at(-1)!.id;
      const rest = await servant.read(new Map([[toServant, cursor]]), { count: 100, waitMs: 0 });
      assert.deepEqual(
        rest.map(({ sequence }) => sequence),
        Array.from({ length: 11 }, (_, index) => index + 5),
      );
    });

    test('trimming drops handled entries and never one that is not', async () => {
      const retain = 10;
      const sage = await make('task_sage', { retain });
      const servant = await make('servant_1', { retain });
      let sent = 0;
      let handled = 0;
      let most = 0;
      for (const batch of [100, 1, 63, 64, 200, 7, 65, ...Array<number>(12).fill(70)]) {
        sent += batch;
        const number = (await sage.load()).commitNumber + 1;
        await sage.commit(
          commitOf(number, { send: messages('servant_1', 'normal', sent - batch + 1, batch) }),
        );
        const present = await readAll(servant, toServant);
        const unhandled = present.filter((entry) => entry.sequence > handled);
        assert.deepEqual(
          unhandled.map((entry) => entry.sequence),
          Array.from({ length: sent - handled }, (_, index) => handled + 1 + index),
        );
        const kept = present.length - unhandled.length;
        assert.ok(kept >= Math.min(handled, retain), `${kept} handled ones are left`);
        most = Math.max(most, kept);
        const last = unhandled[Math.floor(unhandled.length / 2)]!;
        handled = last.sequence;
        const mine = (await servant.load()).commitNumber + 1;
        const positions = new Map([[toServant, { id: last.id, sequence: last.sequence }]]);
        await servant.commit(commitOf(mine, { positions }));
      }
      // Whole entries go, behind a position that was committed once.
      assert.ok(most < 400, `${most} handled ones were kept`);
      assert.ok(sent > 2 * 400);
    });

    test('messages of one commit keep order and numbers whatever they hold, and can be passed one by one', async () => {
      const sage = await make('task_sage');
      const servant = await make('servant_1');
      const many = Array.from({ length: 150 }, (_, at) => `${at} ${'x'.repeat(at % 7 === 0 ? 9_000 : 3)}`);
      const bodies = ['first', '', 'two\nlines', '\n', 'é', '{"a":1}', 'x'.repeat(100_000), ...many, 'last'];
      const send = bodies.map((body) => ({ target: 'servant_1', lane: 'normal' as const, body }));
      await sage.commit(commitOf(1, { send: [...messages('servant_1', 'high', 1, 2), ...send] }));
      await sage.commit(commitOf(2, { send: messages('servant_1', 'normal', 1, 1) }));
      const all = [...bodies, '1'];
      for (const count of [1, 7, 64, 1_000]) {
        const found: string[] = [];
        for (let cursor = start; ; ) {
          const entries = await servant.read(new Map([[toServant, cursor]]), { count, waitMs: 0 });
          if (entries.length === 0) break;
          assert.ok(entries.length <= count);
          for (const { id, sequence, body } of entries) {
            assert.ok(compareStreamIds(cursor, id) < 0, `${id} comes behind ${cursor}`);
            found.push(body);
            assert.equal(sequence, found.length);
            cursor = id;
          }
        }
        assert.deepEqual(found, all);
      }
    });

    test('a successor goes on in the midst of what one commit sent', async () => {
      const sage = await make('task_sage');
      const servant = await make('servant_1');
      await sage.commit(commitOf(1, { send: messages('servant_1', 'normal', 1, 10) }));
      const entries = await readAll(servant, toServant);
      for (let handled = 1; handled <= 9; handled += 1) {
        const { id, sequence } = entries[handled - 1]!;
        const { commitNumber } = await servant.load();
        const handledSoFar = new Map([[toServant, { id, sequence }]]);
        await servant.commit(commitOf(commitNumber + 1, { positions: handledSoFar }));
        const position = (await servant.load()).positions.get(toServant);
        assert.deepEqual(position, { id, sequence });
        const cursors = new Map([[toServant, position?.id ?? start]]);
        const rest = await servant.read(cursors, { count: 100, waitMs: 60_000 });
        assert.deepEqual(
          rest.map((entry) => entry.sequence),
          Array.from({ length: 10 - handled }, (_, index) => handled + 1 + index),
        );
      }
    });

    test('an urgent read waits beside another', async () => {
      const sage = await make('task_sage');
      const servant = await make('servant_1');
      const high = edgeKey('task_sage', 'high');
      const asked = { count: 10, waitMs: 60_000 };
      const usual = servant.read(fromStart(toServant), asked);
      const urgent = servant.read(fromStart(high), { ...asked, urgent: true });
      await sage.commit(commitOf(1, { send: messages('servant_1', 'high', 1, 1) }));
      assert.equal((await urgent).length, 1);
      await sage.commit(commitOf(2, { send: messages('servant_1', 'normal', 1, 1) }));
      assert.equal((await usual).length, 1);
    });

    test('a reader of many edges gets each message once and in its order, whoever writes meanwhile', async () => {
      const sage = await make('task_sage');
      const writers = await Promise.all(['servant_1', 'servant_2', 'claude_elder'].map((name) => make(name)));
      const each = 40;
      const cursors = new Map<EdgeKey, string>();
      for (let index = 1; index <= 40; index += 1) {
        for (const lane of ['normal', 'low'] as const) cursors.set(edgeKey(`servant_${index}`, lane), start);
      }
      cursors.set(edgeKey('claude_elder', 'normal'), start);
      const found = new Map<EdgeKey, string[]>();
      let count = 0;
      let arrived = Promise.withResolvers<void>();
      const write = async (writer: Broker) => {
        for (let number = 1; number <= each; number += 1) {
          const before = count;
          await writer.commit(commitOf(number, { send: messages('task_sage', 'normal', number, 1) }));
          // Now one after another, now beside each other.
          while (number % 4 === 0 && count === before) await arrived.promise;
        }
      };
      const read = async () => {
        while (count < writers.length * each) {
          const entries = await sage.read(new Map(cursors), { count: 8, waitMs: 60_000 });
          for (const { edge, id, sequence, body } of entries) {
            const bodies = found.get(edge) ?? [];
            found.set(edge, bodies);
            assert.equal(sequence, bodies.push(body));
            cursors.set(edge, id);
          }
          count += entries.length;
          arrived.resolve();
          arrived = Promise.withResolvers();
        }
      };
      await Promise.all([read(), ...writers.map(write)]);
      const all = Array.from({ length: each }, (_, index) => String(index + 1));
      assert.deepEqual([...found.values()], [all, all, all]);
    });

    test('a read with nothing to read waits for the first entry', async () => {
      const sage = await make('task_sage');
      const servant = await make('servant_1');
      assert.deepEqual(await servant.read(fromStart(toServant), { count: 10, waitMs: 0 }), []);
      const reading = servant.read(fromStart(toServant), { count: 10, waitMs: 60_000 });
      await sage.commit(commitOf(1, { send: messages('servant_1', 'normal', 1, 1) }));
      assert.deepEqual(
        (await reading).map((entry) => entry.body),
        ['1'],
      );
    });

    test('a waiting read ends empty when its time is over', async () => {
      const servant = await make('servant_1');
      assert.deepEqual(await servant.read(fromStart(toServant), { count: 10, waitMs: 20 }), []);
      assert.deepEqual(await servant.read(new Map(), { count: 10, waitMs: 20 }), []);
    });

    test('an aborted read ends empty and loses nothing', async () => {
      const sage = await make('task_sage');
      const servant = await make('servant_1');
      const low = edgeKey('task_sage', 'low');
      const asked = { count: 10, waitMs: 60_000 };
      const abort = new AbortController();
      const aborted = servant.read(fromStart(toServant), { ...asked, signal: abort.signal });
      abort.abort();
      assert.deepEqual(await aborted, []);
      assert.deepEqual(await servant.read(fromStart(toServant), { ...asked, signal: abort.signal }), []);

      const same = servant.read(fromStart(toServant), asked);
      await sage.commit(commitOf(1, { send: messages('servant_1', 'normal', 1, 1) }));
      const [first] = await same;
      assert.equal(first?.body, '1');

      const second = new AbortController();
      const dropped = servant.read(new Map([[toServant, first.id]]), { ...asked, signal: second.signal });
      second.abort();
      assert.deepEqual(await dropped, []);
      await sage.commit(commitOf(2, { send: messages('servant_1', 'low', 2, 1) }));
      const others = await servant.read(
        new Map([
          [toServant, first.id],
          [low, start],
        ]),
        asked,
      );
      assert.deepEqual(
        others.map((entry) => entry.body),
        ['2'],
      );
    });

    test('closing ends a waiting read', async () => {
      const servant = await make('servant_1');
      const reading = servant.read(fromStart(toServant), { count: 10, waitMs: 60_000 });
      await servant.close();
      assert.deepEqual(await reading, []);
      await assert.rejects(servant.load(), hasCode('redis_unreachable'));
    });

    test('an incarnation that was followed by another reads and writes nothing', async () => {
      const old = await make('task_sage');
      const servant = await make('servant_1');
      const cursors = fromStart(edgeKey('servant_1', 'normal'));
      await old.load();
      const reading = old.read(cursors, { count: 10, waitMs: 60_000 });
      const ended = assert.rejects(reading, ElderError);
      const successor = await make('task_sage');
      await ended;
      const commit = commitOf(1, { send: messages('servant_1', 'normal', 1, 1) });
      const attempt = () => old.commit(commit).catch((error) => ({ kind: (error as ElderError).code }));
      let fenced = await attempt();
      // Its connection may be about to end.
      while (fenced.kind === 'redis_unreachable') fenced = await attempt();
      assert.equal(fenced.kind, 'fenced');
      await assert.rejects(old.load(), hasCode('fenced'));
      await assert.rejects(old.read(cursors, { count: 10, waitMs: 60_000 }), hasCode('fenced'));
      assert.deepEqual(await readAll(servant, toServant), []);
      assert.equal((await successor.load()).commitNumber, 0);
      assert.deepEqual(await successor.commit(commit), { kind: 'ok' });
    });

    test('events reach whoever listens, until they stop', async () => {
      const sage = await make('task_sage');
      const servant = await make('servant_1');
      await sage.load();
      const heard: string[] = [];
      let next = Promise.withResolvers<void>();
      const stop = await servant.subscribe((event) => {
        heard.push(event);
        next.resolve();
      });
      sage.publish('one');
      await next.promise;
      assert.deepEqual(heard, ['one']);
      await stop();
      next = Promise.withResolvers();
      const stopAgain = await servant.subscribe(() => next.resolve());
      sage.publish('two');
      await next.promise;
      assert.deepEqual(heard, ['one']);
      await stopAgain();
    });
  });
}
