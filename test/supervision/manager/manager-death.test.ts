import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { AuditRecord } from '../../../src/protocol/audit.ts';
import { loadProcessRecords } from '../../../src/supervision/elders/process-records.ts';
import { isSameProcess } from '../../../src/telemetry/process-identity.ts';
import { SupervisedTree } from '../../support/supervised-tree.ts';

let tree: SupervisedTree;
before(async () => {
  tree = await SupervisedTree.create();
});
after(() => tree.remove());

function lines<Line>(path: string): Line[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

test('a manager with a rejection that nobody handles says so and ends; the next one takes over and tells of it', async () => {
  await tree.upApart();
  assert.equal(await tree.failManager(), 1);
  const last = lines<{ level: string; msg: string; stack: string }>(tree.folder.logFile('manager')).at(-1);
  assert.deepEqual([last?.level, last?.msg], ['fatal', 'unhandled rejection']);
  assert.match(last?.stack ?? '', /planted by a test/);
  const records = await loadProcessRecords(tree.folder);
  for (const each of records.values()) assert.ok(isSameProcess(each), `${each.name} has ended with it`);

  await tree.up();
  for (const { name, pid } of records.values()) if (name !== 'redis') assert.equal(tree.pid(name), pid);
  assert.equal(existsSync(tree.folder.managerDeath), false);
  await tree.manager.shutdown('drain');
  const audited = readdirSync(tree.folder.audit)
    .filter((file) => file.endsWith('.jsonl'))
    .flatMap((file) => lines<AuditRecord>(join(tree.folder.audit, file)));
  const deaths = audited.filter(({ event }) => event === 'manager_died');
  assert.equal(deaths.length, 1);
  assert.match(deaths[0]?.reason ?? '', /^unhandled rejection: Error: planted by a test/);
});
