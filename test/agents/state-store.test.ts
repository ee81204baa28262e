import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StateStore } from '../../src/agents/state-store.ts';

interface Row {
  readonly count: number;
  readonly parts?: readonly { readonly name: string }[];
}

test('rows come back as they were put, and from the fields of a snapshot', () => {
  const store = new StateStore(new Map([['tasks/d1/t1', '{"count":1}']]));
  const tasks = store.table<Row>('tasks');
  assert.deepEqual(tasks.get('d1/t1'), { count: 1 });
  tasks.put('d1/t2', { count: 2 });
  assert.deepEqual(
    [...tasks.entries()],
    [
      ['d1/t1', { count: 1 }],
      ['d1/t2', { count: 2 }],
    ],
  );
  assert.equal(tasks.size, 2);
  assert.equal(tasks.has('d1/t3'), false);
  assert.equal(store.table<Row>('others').size, 0);
});

test('a row comes back as JSON has it, whatever its form', () => {
  const rows: unknown[] = [
    ...[
      { a: 1, b: 'x', c: null, d: true },
      { a: undefined },
      { a: -0 },
      { a: Number.NaN },
      { a: 1.5 },
      [1],
      'x',
      7,
    ],
    ...[
      new Date(0),
      { a: new Date(0) },
      { toJSON: () => 'other' },
      JSON.parse('{"__proto__":1}'),
      { a: 1e300 },
    ],
    Object.assign(Object.create({ inherited: 1 }), { own: 1 }),
  ];
  const table = new StateStore().table<unknown>('t');
  for (const row of rows) {
    table.put('id', row);
    assert.deepEqual(table.get('id'), JSON.parse(JSON.stringify(row)));
    table.delete('id');
  }
  const given = { count: 1 };
  table.put('id', given);
  given.count = 2;
  assert.deepEqual(table.get('id'), { count: 1 });
  assert.ok(Object.isFrozen(table.get('id')));
});

test('a row is encoded when it is put, and frozen all through when it comes back', () => {
  const tasks = new StateStore().table<Row>('tasks');
  const parts = [{ name: 'a' }];
  tasks.put('t', { count: 1, parts });
  parts[0] = { name: 'b' };
  const row = tasks.get('t') as { count: number; parts: { name: string }[] };
  assert.equal(row.parts[0]?.name, 'a');
  assert.throws(() => {
    row.count = 2;
  }, TypeError);
  assert.throws(() => {
    row.parts[0]!.name = 'c';
  }, TypeError);
  assert.throws(() => row.parts.push({ name: 'd' }), TypeError);
});

test('rollback undoes puts and deletes since the mark, and what the commit would have held', () => {
  const store = new StateStore(
    new Map([
      ['t/kept', '{"count":1}'],
      ['t/gone', '{"count":1}'],
    ]),
  );
  const table = store.table<Row>('t');
  table.put('kept', { count: 2 });
  const mark = store.mark();
  table.put('kept', { count: 3 });
  table.put('fresh', { count: 1 });
  table.delete('gone');
  table.delete('fresh');
  const inner = store.mark();
  table.put('gone', { count: 9 });
  store.rollback(inner);
  assert.equal(table.has('gone'), false);
  store.rollback(mark);
  assert.deepEqual(table.get('kept'), { count: 2 });
  assert.deepEqual(table.get('gone'), { count: 1 });
  assert.equal(table.has('fresh'), false);
  assert.deepEqual(store.seal(), { set: new Map([['t/kept', '{"count":2}']]), remove: new Set() });
});

test('changes are given once, and only where something changed', () => {
  const store = new StateStore(
    new Map([
      ['t/a', '{"count":1}'],
      ['t/b', '{"count":1}'],
    ]),
  );
  const table = store.table<Row>('t');
  table.put('a', { count: 1 });
  table.delete('nothing');
  assert.deepEqual(store.seal(), { set: new Map(), remove: new Set() });
  table.put('a', { count: 2 });
  table.put('a', { count: 3 });
  table.delete('b');
  const changes = { set: new Map([['t/a', '{"count":3}']]), remove: new Set(['t/b']) };
  assert.deepEqual(store.seal(), changes);
  store.landed();
  assert.deepEqual(store.seal(), { set: new Map(), remove: new Set() });
  store.rollback(0);
  assert.deepEqual(table.get('a'), { count: 3 });
});

test('what comes behind a commit under way goes with it when that is undone, and stays when it lands', () => {
  const store = new StateStore(new Map([['t/a', '{"count":1}']]));
  const table = store.table<Row>('t');
  const change = () => {
    table.put('a', { count: 2 });
    store.seal();
    const mark = store.mark();
    table.put('a', { count: 3 });
    store.rollback(mark);
    assert.deepEqual(table.get('a'), { count: 2 });
    table.put('a', { count: 4 });
    table.put('b', { count: 1 });
  };
  change();
  store.rollback(0);
  assert.deepEqual([table.get('a'), table.has('b')], [{ count: 1 }, false]);
  assert.deepEqual(store.seal(), { set: new Map(), remove: new Set() });
  change();
  store.landed();
  store.rollback(0);
  assert.deepEqual([table.get('a'), table.has('b')], [{ count: 2 }, false]);
  assert.deepEqual(store.seal(), { set: new Map(), remove: new Set() });
});
