import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configSchema } from '../../../src/protocol/config.ts';
import { roster } from '../../../src/protocol/roster.ts';
import {
  branchOf,
  type Family,
  groupsAfter,
  groupsWithin,
  startGroups,
} from '../../../src/supervision/branches/branch-tree.ts';

const sages = ['knowledge_sage', 'task_sage', 'rag_sage', 'incident_sage'];
const names = (groups: { name: string }[][]) => groups.map((group) => group.map(({ name }) => name));
const spec = (name: string) => roster(2).find((each) => each.name === name) ?? assert.fail(name);
const configOf = (supervision: object): Family => ({
  config: configSchema.parse({ supervision }),
  specs: roster(2),
});

test('an elder starts before those below it; the sages and the servants start side by side', () => {
  assert.deepEqual(names(startGroups(configOf({}))), [
    ['grand_elder'],
    ['claude_elder'],
    sages,
    ['elder_council'],
    ['servant_1', 'servant_2'],
  ]);
});

test('the order of a child specification counts within its branch only', () => {
  const family = configOf({
    elders: { task_sage: { order: 2 }, rag_sage: { order: 1 }, servants: { order: 9 } },
  });
  assert.deepEqual(names(startGroups(family)), [
    ['grand_elder'],
    ['claude_elder'],
    ['knowledge_sage', 'incident_sage'],
    ['rag_sage'],
    ['task_sage'],
    ['elder_council'],
    ['servant_1', 'servant_2'],
  ]);
});

test('rest_for_one starts the children of a branch one by one and takes along those after', () => {
  const family = configOf({ branches: { claude_elder: { strategy: 'rest_for_one' } } });
  assert.deepEqual(
    names(groupsWithin(family, 'claude_elder')),
    sages.map((name) => [name]),
  );
  assert.deepEqual(names(groupsAfter(family, spec('task_sage'))), [['rag_sage'], ['incident_sage']]);
  assert.deepEqual(groupsAfter(family, spec('incident_sage')), []);
});

test('what comes after a child includes the branches below', () => {
  const family = configOf({
    branches: { root: { strategy: 'rest_for_one' }, grand_elder: { strategy: 'rest_for_one' } },
  });
  assert.deepEqual(
    names(groupsAfter(family, spec('grand_elder'))).flat(),
    roster(2)
      .slice(1)
      .map(({ name }) => name),
  );
  assert.deepEqual(names(groupsAfter(family, spec('claude_elder'))).flat(), [
    ...sages,
    'elder_council',
    'servant_1',
    'servant_2',
  ]);
  assert.equal(branchOf(spec('servant_2')), 'servants');
});
