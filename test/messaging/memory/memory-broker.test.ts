import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Broker } from '../../../src/messaging/broker.ts';
import { systemClock } from '../../../src/messaging/clock.ts';
import { type Fault, MemoryBroker, type Schedule } from '../../../src/messaging/memory/memory-broker.ts';
import { type Guards, MemoryStore } from '../../../src/messaging/memory/memory-store.ts';
import { edgeKey } from '../../../src/protocol/keys.ts';
import { brokerConformance, commitOf, hasCode, messages } from '../conformance.ts';

const limits = { edgeLimit: 10_000, retain: 8_192 };

function makeStore(guards: Partial<Guards> = {}, edgeLimit = limits.edgeLimit): MemoryStore {
  return new MemoryStore({ clock: systemClock, retain: limits.retain, edgeLimit, guards });
}

function makeBroker(
  store: MemoryStore,
  name: string,
  incarnation: number,
  schedule?: Schedule,
): MemoryBroker {
  const common = { store, name, incarnation, clock: systemClock };
  return new MemoryBroker(schedule ? { ...common, schedule } : common);
}

let shared = makeStore();
let ownLimits = '';
brokerConformance('MemoryBroker', () => ({
  async reset() {
    shared = makeStore();
    ownLimits = '';
  },
  async open(name, own) {
    // Limits belong to the store; a test that wants others asks for them before anything is sent.
    if (own && ownLimits !== JSON.stringify(own)) {
      shared = new MemoryStore({ clock: systemClock, ...limits, ...own });
      ownLimits = JSON.stringify(own);
    }
    const incarnation = shared.incarnationOf(name) + 1;
    shared.setIncarnation(name, incarnation);
    return makeBroker(shared, name, incarnation);
  },
}));

/** Lets an operation fail in one way the first time it comes up. */
function failing(operation: string, fault: Fault): Schedule {
  let failed = false;
  return (present, run) =>
    queueMicrotask(() => {
      if (failed || present !== operation) return run();
      failed = true;
      run(fault);
    });
}

const edge = edgeKey('task_sage', 'normal');
const handledEdge = edgeKey('servant_1', 'normal');
const send = messages('servant_1', 'normal', 1, 1);

suite('faults', () => {
  test('a lost request was not carried out, a lost answer was', async () => {
    for (const [fault, landed] of [
      ['lost_request', 0],
      ['lost_answer', 1],
    ] as const) {
      const store = makeStore();
      store.setIncarnation('task_sage', 1);
      const sage = makeBroker(store, 'task_sage', 1, failing('commit', fault));
      await assert.rejects(sage.commit(commitOf(1, { send })), hasCode('redis_unreachable'));
      assert.equal(store.edgeOf('servant_1', 'task_sage', 'normal').length, landed);
      const again = await sage.commit(commitOf(1, { send }));
      assert.deepEqual(again, landed === 0 ? { kind: 'ok' } : { kind: 'stale', number: 1 });
      assert.equal(store.edgeOf('servant_1', 'task_sage', 'normal').length, 1);
    }
  });

  test('an operation that is never run never settles', async () => {
    const store = makeStore();
    store.setIncarnation('task_sage', 1);
    const sage = makeBroker(store, 'task_sage', 1, () => {});
    const outcome = await Promise.race([
      sage.load(),
      new Promise((resolve) => setImmediate(resolve, 'silent')),
    ]);
    assert.equal(outcome, 'silent');
  });
});

/** Handles one message and answers it; says how many answers there are for it in the end. */
async function answersAfter(
  store: MemoryStore,
  commits: (elder: Broker) => Promise<void>,
  schedule?: Schedule,
) {
  store.setIncarnation('task_sage', 1);
  await commits(makeBroker(store, 'task_sage', 1, schedule)).catch(() => undefined);
  store.setIncarnation('task_sage', 2);
  const successor = makeBroker(store, 'task_sage', 2);
  const { commitNumber, positions } = await successor.load();
  // What the successor finds unhandled it handles.
  if (!positions.has(handledEdge)) await successor.commit(answer(commitNumber + 1));
  return store.edgeOf('servant_1', 'task_sage', 'normal').length;
}

function answer(number: number) {
  return commitOf(number, { positions: new Map([[handledEdge, { id: '1-0', sequence: 1 }]]), send });
}

suite('each guard, switched off, is missed', () => {
  test('atomicCommit: a crash in the middle loses the answer', async () => {
    const crash: Schedule = (operation, run) => {
      if (operation !== 'rest of commit') queueMicrotask(run);
    };
    const commits = async (elder: Broker) => {
      const crashed = new Promise<void>((resolve) => setImmediate(resolve));
      await Promise.race([elder.commit(answer(1)), crashed]);
    };
    assert.equal(await answersAfter(makeStore(), commits, crash), 1);
    assert.equal(await answersAfter(makeStore({ atomicCommit: false }), commits, crash), 0);
  });

  test('commitNumber: a commit sent again after a lost answer lands twice', async () => {
    const commits = async (elder: Broker) => {
      await elder.commit(answer(1)).catch(() => elder.commit(answer(1)));
    };
    assert.equal(await answersAfter(makeStore(), commits, failing('commit', 'lost_answer')), 1);
    const unguarded = makeStore({ commitNumber: false });
    assert.equal(await answersAfter(unguarded, commits, failing('commit', 'lost_answer')), 2);
  });

  test('incarnation: a predecessor that still lives takes the place of its successor’s commit', async () => {
    for (const [incarnation, expected] of [
      [true, 'successor'],
      [false, 'predecessor'],
    ] as const) {
      const store = makeStore({ incarnation });
      store.setIncarnation('task_sage', 1);
      const predecessor = makeBroker(store, 'task_sage', 1);
      store.setIncarnation('task_sage', 2);
      const successor = makeBroker(store, 'task_sage', 2);
      await predecessor.commit(commitOf(1, { set: new Map([['by', 'predecessor']]) }));
      await successor.commit(commitOf(1, { set: new Map([['by', 'successor']]) }));
      assert.equal((await successor.load()).fields.get('by'), expected);
    }
  });

  test('room: an edge grows without bound', async () => {
    for (const [room, expected] of [
      [true, 8],
      [false, 20],
    ] as const) {
      const store = makeStore({ room }, 8);
      store.setIncarnation('task_sage', 1);
      const sage = makeBroker(store, 'task_sage', 1);
      for (let number = 1; number <= 20; number += 1) await sage.commit(commitOf(number, { send }));
      assert.equal(store.edgeOf('servant_1', 'task_sage', 'normal').length, expected);
      assert.equal(store.entries('servant_1', new Map([[edge, '0-0']]), 100).length, expected);
    }
  });
});
