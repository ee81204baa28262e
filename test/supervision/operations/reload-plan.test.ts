import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configSchema } from '../../../src/protocol/config.ts';
import { roster } from '../../../src/protocol/roster.ts';
import { reloadPlan } from '../../../src/supervision/operations/reload-plan.ts';

const before = configSchema.parse({});
const everybody = roster(2).map(({ name }) => name);
const plan = (change: object) => reloadPlan(before, configSchema.parse(change), everybody);

test('the same configuration asks for nothing', () => {
  assert.deepEqual(plan({}), { changed: [], fixed: [], restart: [] });
});

test('only those whom a setting concerns are restarted', () => {
  assert.deepEqual(plan({ strategy: { maxTasks: 7 } }), {
    changed: ['strategy'],
    fixed: [],
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

test('the number of servants may change, but not who there can be', () => {
  const nothing = { fixed: [], restart: [] };
  assert.deepEqual(plan({ servants: 16 }), { changed: ['servants'], ...nothing });
  assert.deepEqual(plan({ scaling: { auto: true, backlog: 9 } }), { changed: ['scaling'], ...nothing });
  const fixed = (change: string) => [`the most servants that there can be (${change})`];
  assert.deepEqual(plan({ servants: 17 }).fixed, fixed('servant: 16 → 17'));
  assert.deepEqual(plan({ scaling: { max: 8 } }).fixed, fixed('servant: 16 → 8'));
  assert.deepEqual(plan({ scaling: { groups: { gpu: { max: 1 } } } }).fixed, fixed('gpu: none → 1'));
});

test('what cannot change while the tree runs is named', () => {
  assert.deepEqual(plan({ portBase: 6_000, appendfsync: 'everysec' }).fixed, ['portBase', 'appendfsync']);
});
