import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/messaging/clock.ts';
import { type Fault, MemoryBroker } from '../../src/messaging/memory/memory-broker.ts';
import { type Guards, MemoryStore } from '../../src/messaging/memory/memory-store.ts';
import type { IncidentReport } from '../../src/protocol/actions.ts';
import { ElderError } from '../../src/protocol/errors.ts';
import { ManagerOutbox } from '../../src/supervision/manager-outbox.ts';

const report = (fingerprint: string): IncidentReport => ({
  fingerprint,
  title: 'x',
  severity: 'low',
  detail: 'x',
  directiveId: null,
});

/** A store on which the operations of the manager meet the faults given, one after the other. */
function harness(
  options: { faults?: string[]; limit?: number; edgeLimit?: number; guards?: Partial<Guards> } = {},
) {
  const { faults = [], limit = 100, edgeLimit = 100, guards = {} } = options;
  const store = new MemoryStore({ clock: systemClock, edgeLimit, retain: 100, guards });
  const landed = () =>
    store
      .edgeOf('incident_sage', 'manager', 'high')
      .map(({ body }) => String(JSON.parse(body).payload.fingerprint));
  let look = () => {};
  const reporter = new ManagerOutbox({
    connect: async () => {
      const incarnation = store.incarnationOf('manager') + 1;
      store.setIncarnation('manager', incarnation);
      const schedule = (operation: string, run: (fault?: Fault) => void) => {
        const next = faults[0]?.startsWith(`${operation}: `) ? faults.shift() : undefined;
        if (next?.endsWith('fenced')) store.setIncarnation('manager', incarnation + 1);
        run(next?.endsWith('fenced') ? undefined : (next?.split(': ')[1] as Fault | undefined));
        look();
      };
      return new MemoryBroker({ store, name: 'manager', incarnation, clock: systemClock, schedule });
    },
    limit,
    retryDelay: 1,
    onError: () => undefined,
  });
  return {
    store,
    reporter,
    landed,
    /** Resolves when the condition holds; it is looked at after every operation of the manager. */
    until: (condition: () => boolean) =>
      new Promise<void>((resolve) => {
        look = () => {
          if (condition()) resolve();
        };
        look();
      }),
  };
}

for (const faults of [
  ['commit: lost_answer', 'commit: lost_answer', 'commit: lost_answer'],
  ['commit: lost_request', 'commit: lost_request'],
  ['load: lost_request', 'load: lost_answer', 'commit: lost_answer'],
  ['commit: fenced', 'commit: fenced'],
  [
    'commit: lost_answer',
    'commit: fenced',
    'load: lost_answer',
    'commit: lost_request',
    'commit: lost_answer',
  ],
]) {
  test(`each incident lands once, in order, through ${faults.join(', ')}`, async () => {
    const { reporter, landed, until } = harness({ faults });
    for (const fingerprint of ['a', 'b', 'c']) reporter.raise(report(fingerprint));
    await until(() => landed().includes('c') && faults.length === 0);
    await reporter.close();
    assert.deepEqual(landed(), ['a', 'b', 'c']);
  });
}

test('the control: without the check of the commit number an incident lands twice', async () => {
  const faults = ['commit: lost_answer'];
  const { reporter, landed, until } = harness({ faults, guards: { commitNumber: false } });
  reporter.raise(report('a'));
  reporter.raise(report('b'));
  await until(() => landed().includes('b'));
  await reporter.close();
  assert.deepEqual(landed(), ['a', 'a', 'b']);
});

test('a successor that never loaded does not take what others committed for its own', async () => {
  const first = harness();
  first.reporter.raise(report('a'));
  await first.until(() => first.landed().length === 1);
  await first.reporter.close();
  const faults = ['load: lost_answer'];
  const broken = new ManagerOutbox({
    connect: async () => {
      const incarnation = first.store.incarnationOf('manager') + 1;
      first.store.setIncarnation('manager', incarnation);
      const schedule = (_operation: string, run: (fault?: Fault) => void) =>
        run(faults.shift() === undefined ? undefined : 'lost_answer');
      return new MemoryBroker({
        store: first.store,
        name: 'manager',
        incarnation,
        clock: systemClock,
        schedule,
      });
    },
    limit: 10,
    retryDelay: 1,
    onError: () => undefined,
  });
  const arrived = new Promise<void>((resolve) => first.store.awaitChange('incident_sage', resolve));
  broken.raise(report('b'));
  await arrived;
  await broken.close();
  assert.deepEqual(first.landed(), ['a', 'b']);
});

test('a full edge holds incidents back until there is room', async () => {
  const { store, reporter, landed, until } = harness({ edgeLimit: 1 });
  for (const fingerprint of ['a', 'b']) reporter.raise(report(fingerprint));
  let operations = 0;
  await until(() => {
    operations += 1;
    return operations > 4;
  });
  assert.deepEqual(landed(), ['a']);
  const id = store.edgeOf('incident_sage', 'manager', 'high')[0]?.id ?? assert.fail('nothing landed');
  store.setIncarnation('incident_sage', 1);
  store.applyPositions('incident_sage', {
    number: 1,
    set: new Map(),
    remove: new Set(),
    positions: new Map([['manager:high', { id, sequence: 1 }]]),
    send: [],
    journal: null,
  });
  await until(() => landed().includes('b'));
  await reporter.close();
});

test('what waits is bounded: the oldest is dropped and counted', async () => {
  const { reporter, landed, until } = harness({ limit: 3 });
  for (const fingerprint of ['a', 'b', 'c', 'd', 'e']) reporter.raise(report(fingerprint));
  await until(() => landed().includes('e'));
  await reporter.close();
  assert.deepEqual([landed(), reporter.dropped], [['c', 'd', 'e'], 2]);
});

test('closing does not wait for Redis, and afterwards nothing is taken', async () => {
  const reporter = new ManagerOutbox({
    connect: () => Promise.reject(new ElderError('redis_unreachable', 'away')),
    limit: 3,
    retryDelay: 600_000,
    onError: () => undefined,
  });
  reporter.raise(report('a'));
  await reporter.close();
  reporter.raise(report('b'));
});

test('an order passes the incidents that wait, and takes the place of an older one', async () => {
  const { store, reporter, landed, until } = harness({ faults: ['load: lost_request'] });
  const orders = () =>
    store.edgeOf('task_sage', 'manager', 'control').map(({ body }) => JSON.parse(body).payload.revision);
  for (const fingerprint of ['a', 'b']) reporter.raise(report(fingerprint));
  for (const revision of [1, 2]) {
    reporter.order('task_sage', 'sage.task.servants', { revision, members: [], watch: false });
  }
  await until(() => orders().length > 0);
  assert.deepEqual([orders(), landed()], [[2], []]);
  await until(() => landed().length === 2);
  await reporter.close();
  assert.deepEqual([orders(), landed()], [[2], ['a', 'b']]);
});
