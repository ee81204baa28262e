import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configSchema } from '../../src/protocol/config.ts';
import { labelsOf } from '../../src/protocol/servant-kinds.ts';
import {
  poolOf,
  possibleServantNames,
  servantPools,
  startingServants,
} from '../../src/protocol/servant-pools.ts';

const config = configSchema.parse({
  servants: 3,
  servantKinds: { builder: { labels: ['fast'] }, gpu: { labels: ['cuda'] } },
  assignKinds: ['builder'],
  scaling: { max: 4, groups: { gpu: { min: 1, max: 2 }, 'repo:x': { max: 1 } } },
});

test('the servants of groups have numbers of their own, which a larger general pool does not move', () => {
  const names = [
    'servant_1',
    'servant_2',
    'servant_3',
    'servant_4',
    'servant_501',
    'servant_502',
    'servant_503',
  ];
  assert.deepEqual(possibleServantNames(config), names);
  assert.deepEqual(startingServants(config), [1, 2, 3, 501]);
  const pools = servantPools(config);
  assert.deepEqual(
    ['servant_4', 'servant_5', 'servant_502', 'servant_503', 'task_sage'].map(
      (name) => poolOf(pools, name)?.name,
    ),
    ['servant', undefined, 'gpu', 'repo:x', undefined],
  );
});

test('a servant of a group carries the labels of its kind; the others leave those tasks to it', () => {
  assert.deepEqual([...labelsOf(config, 'servant_501')], ['gpu', 'cuda']);
  assert.deepEqual([...labelsOf(config, 'servant_503')], ['repo:x']);
  assert.deepEqual([...labelsOf(config, 'servant_1')], ['builder', 'fast']);
  assert.deepEqual([...labelsOf(config, 'servant_2')], ['builder', 'fast']);
});

test('where nothing is said there may be 16 servants, or as many as there are at the start', () => {
  assert.equal(servantPools(configSchema.parse({}))[0]?.max, 16);
  assert.equal(servantPools(configSchema.parse({ servants: 40 }))[0]?.max, 40);
  assert.deepEqual(startingServants(configSchema.parse({ scaling: { auto: true, min: 3 } })), [1, 2, 3]);
});

test('numbers that contradict each other are refused', () => {
  const refused = (scaling: object, servants = 2) =>
    configSchema.safeParse({ servants, scaling }).error?.issues.map(({ path }) => path.join('.'));
  assert.deepEqual(refused({ max: 1 }), ['scaling.max']);
  assert.deepEqual(refused({ min: 5, max: 4 }), ['scaling.min']);
  assert.deepEqual(refused({ groups: { servant: { max: 1 } } }), ['scaling.groups.servant']);
  assert.deepEqual(refused({ groups: { gpu: { min: 2, max: 1 } } }), ['scaling.groups.gpu.min']);
  assert.deepEqual(refused({ groups: { gpu: { max: 401 } } }), ['scaling.groups']);
  assert.deepEqual(refused({ groups: { gpu: { max: 1 } } }, 501), ['scaling.groups']);
  assert.equal(refused({ groups: { gpu: { max: 400 } } }, 500), undefined);
});
