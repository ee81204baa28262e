import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { incidentSage } from '../../../src/elders/incident/incident-sage.ts';
import type { IncidentRecord, IncidentReport } from '../../../src/protocol/actions.ts';
import { MemoryTree } from '../../support/memory-tree.ts';

const self = 'incident_sage';

let tree: MemoryTree;
beforeEach(async () => {
  tree = new MemoryTree();
  await tree.start(self, incidentSage());
});

async function raise(
  source: string,
  fingerprint: string,
  changes: Partial<IncidentReport> = {},
): Promise<void> {
  const report = {
    fingerprint,
    title: 'a title',
    severity: 'low',
    detail: '',
    directiveId: null,
    ...changes,
  } as const;
  await tree.send(tree.message(source, self, 'incident.raise', report));
  await tree.clock.advance(10);
}

async function list(limit = 50): Promise<IncidentRecord[]> {
  await tree.send(tree.message('gateway', self, 'sage.incident.list', { limit }));
  const answer = tree.sent(self, 'gateway').at(-1);
  assert.ok(answer);
  assert.equal(answer.action, 'reply.result', JSON.stringify(answer.payload));
  return (answer.payload.result as unknown as { incidents: IncidentRecord[] }).incidents;
}

test('equal incidents are one, counted, with the first and the last time', async () => {
  const began = tree.clock.now();
  await raise('task_sage', 'f');
  await raise('task_sage', 'f', { detail: 'newer', severity: 'high' });
  const [incident] = await list();
  const { count, firstAt, lastAt, detail, severity } = incident as IncidentRecord;
  assert.deepEqual([count, firstAt, lastAt], [2, began, began + 10]);
  assert.deepEqual([detail, severity], ['newer', 'high']);
  assert.equal((await list()).length, 1);
});

test('the same fingerprint of another source is another incident', async () => {
  await raise('task_sage', 'f');
  await raise('manager', 'f');
  assert.deepEqual(
    (await list()).map(({ source }) => source),
    ['manager', 'task_sage'],
  );
});

test('the latest come first, and no more than asked for', async () => {
  for (const fingerprint of ['a', 'b', 'c', 'a']) await raise('task_sage', fingerprint);
  assert.deepEqual(
    (await list(2)).map(({ fingerprint }) => fingerprint),
    ['a', 'c'],
  );
});

test('who has no edge cannot raise one', async () => {
  await raise('servant_1', 'f');
  await raise('gateway', 'f');
  assert.deepEqual(await list(), []);
});
