import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configSchema } from '../../../src/protocol/config.ts';
import { roster } from '../../../src/protocol/roster.ts';
import { servantPools } from '../../../src/protocol/servant-pools.ts';
import { reloadPlan } from '../../../src/supervision/operations/reload-plan.ts';

const before = configSchema.parse({});
const everybody = roster(2).map(({ name }) => name);
const plan = (change: object) => reloadPlan(before, configSchema.parse(change), { present: everybody });

test('the same configuration asks for nothing', () => {
  assert.deepEqual(plan({}), { changed: [], fixed: [], first: [], restart: [] });
});

test('only those whom a setting concerns are restarted', () => {
  assert.deepEqual(plan({ strategy: { maxTasks: 7 } }), {
    changed: ['strategy'],
    fixed: [],
    first: [],
    restart: ['grand_elder', 'servant_1', 'servant_2'],
  });
  assert.deepEqual(plan({ tasks: { lease: '3m' } }).restart, ['task_sage', 'servant_1', 'servant_2']);
  assert.deepEqual(plan({ sandbox: 'none' }).restart, ['servant_1', 'servant_2']);
  assert.deepEqual(plan({ log: { level: 'debug' } }).restart, everybody);
});

test('what the manager alone has to do with restarts nobody', () => {
  const supervision = {
    intensity: 3,
    probeInterval: '1s',
    memoryLimit: '2GB',
    branches: { servants: { escalation: 'restart' } },
  };
  const { changed, restart } = plan({ supervision, certificates: { lifetime: '2h' } });
  assert.deepEqual(restart, []);
  assert.deepEqual(changed, [
    'certificates.lifetime',
    'supervision.intensity',
    'supervision.probeInterval',
    'supervision.memoryLimit',
    'supervision.branches',
  ]);
});

test('a shutdown time concerns those who have it', () => {
  assert.deepEqual(plan({ supervision: { elders: { rag_sage: { shutdown: '3s' } } } }).restart, ['rag_sage']);
  assert.deepEqual(
    plan({ supervision: { shutdown: '3s', elders: { rag_sage: { shutdown: '10s' } } } }).restart,
    everybody.filter((name) => name !== 'rag_sage'),
  );
});

test('the number of servants may change, and there can be more of them, but not fewer or others', () => {
  const nothing = { fixed: [], first: [], restart: [] };
  assert.deepEqual(plan({ servants: 16 }), { changed: ['servants'], ...nothing });
  assert.deepEqual(plan({ scaling: { auto: true, backlog: 9 } }), { changed: ['scaling'], ...nothing });
  const fixed = (change: string) => [`the most servants that there can be (${change})`];
  const more = { fixed: [], first: ['grand_elder', 'task_sage'], restart: [] };
  assert.deepEqual(plan({ servants: 17 }), { changed: ['servants'], ...more });
  assert.deepEqual(plan({ scaling: { max: 17 } }), { changed: ['scaling'], ...more });
  const groups = { gpu: { max: 1 }, big: { max: 2 } };
  assert.deepEqual(plan({ scaling: { groups } }), { changed: ['scaling'], ...more });
  assert.deepEqual(plan({ scaling: { max: 8 } }).fixed, fixed('servant: 16 → 8'));
  const grouped = configSchema.parse({ scaling: { groups } });
  const from = (change: object) =>
    reloadPlan(grouped, configSchema.parse({ scaling: { groups: { ...groups, ...change } } }), {
      present: everybody,
    });
  assert.deepEqual(from({ big: { max: 3 } }).first, more.first);
  assert.deepEqual(from({ big: { max: 1 } }).fixed, fixed('big: 2 → 1'));
  assert.deepEqual(from({ gpu: { max: 3 } }).fixed, fixed('big: from servant_502 to servant_504'));
  assert.deepEqual(
    reloadPlan(grouped, before, { present: everybody }).fixed,
    fixed('gpu: 1 → none, big: 2 → none'),
  );
});

test('a change that could not be brought to its end is taken up again by the same configuration', () => {
  const wider = configSchema.parse({ scaling: { max: 17 } });
  const { changed, first } = reloadPlan(wider, wider, { present: everybody, pools: servantPools(before) });
  assert.deepEqual([changed, first], [[], ['grand_elder', 'task_sage']]);
});

test('what cannot change while the tree runs is named', () => {
  assert.deepEqual(plan({ portBase: 6_000, appendfsync: 'everysec' }).fixed, ['portBase', 'appendfsync']);
});
