import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { EntryRow } from '../../../../src/elders/knowledge/entries/tables.ts';
import { IndexFinder } from '../../../../src/elders/knowledge/finders/index-finder.ts';
import { temporaryFolder } from '../../../cli/elders-command.ts';

function row(id: string, title: string, body: string, version = 1): EntryRow {
  return {
    ...{ id, title, body, tags: ['ops'], kind: 'lesson', source: 'human', confidence: null, derived: false },
    ...{ links: { directives: [], tasks: [], incidents: [] }, expiresAt: null, supersededBy: null },
    ...{ version, createdAt: 1, updatedAt: 1, by: 'human', note: '', changed: [], kept: [] },
  };
}

const rows = [
  row('ja', '本番環境の手順', '## 障害対応\n\nまず監視の記録を確認する。'),
  row('en', 'Release', 'Roll the deployment back when the health check fails.'),
];

function finderFor(context: TestContext, path: string, held: readonly EntryRow[]) {
  const finder = new IndexFinder({ path, log: { warn() {} } });
  context.after(() => finder.close());
  finder.start(held);
  const find = (query: string) => {
    const common = { limit: 5, explain: false, kinds: [], tags: [], accepts: () => true };
    const { method, found } = finder.find({ query, ...common, rows: () => held });
    return { method, ids: found.map(({ id }) => id) };
  };
  return { finder, find };
}

/** Lets the index be filled. */
async function filled(find: (query: string) => { method: string }): Promise<void> {
  while (find('x').method === 'scan') await turn();
}

test('Japanese and English are found, before the index is filled too; it follows the state', async (context) => {
  const path = join(temporaryFolder(context), 'k.sqlite');
  const { finder, find } = finderFor(context, path, rows);
  assert.deepEqual(find('障害'), { method: 'scan', ids: ['ja'] });
  await filled(find);
  assert.deepEqual(find('障害'), { method: 'lexical', ids: ['ja'] });
  assert.deepEqual(find('deployments').ids, ['en']);
  finder.perform({ kind: 'index', id: 'en', entry: row('en', 'Lunch', 'The canteen.', 2) });
  finder.perform({ kind: 'index', id: 'ja', entry: null });
  await filled(find);
  assert.deepEqual([find('deployment').ids, find('障害').ids, find('canteen').ids], [[], [], ['en']]);
});

test('a successor finds the index as it is, and brings it to what the state holds', async (context) => {
  const path = join(temporaryFolder(context), 'k.sqlite');
  const first = finderFor(context, path, rows);
  await filled(first.find);
  first.finder.close();
  const changed = [row('en', 'Backup', 'Restore the snapshot.', 2)];
  const { find } = finderFor(context, path, changed);
  await filled(find);
  assert.deepEqual([find('snapshot').ids, find('障害').ids, find('deployment').ids], [['en'], [], []]);
});

test('a damaged index is made anew from the state', async (context) => {
  const path = join(temporaryFolder(context), 'k.sqlite');
  const first = finderFor(context, path, rows);
  await filled(first.find);
  first.finder.close();
  writeFileSync(path, 'no database at all');
  const { find } = finderFor(context, path, rows);
  await filled(find);
  assert.deepEqual(find('障害'), { method: 'lexical', ids: ['ja'] });
});
