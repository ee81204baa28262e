import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { DirectiveRecord } from '../../src/protocol/directive.ts';
import type { KnowledgeEntry, KnowledgeHit, KnowledgePutResult } from '../../src/protocol/knowledge.ts';
import { TestTree } from '../support/tree.ts';

const elders = fileURLToPath(new URL('../../bin/elders.cjs', import.meta.url));
let tree: TestTree;
before(async () => {
  tree = await TestTree.create({ servants: 1 });
  await tree.up();
});
after(() => tree.dispose());

type Hits = { method: string; entries: KnowledgeHit[] };
const search = async (query: string, ...more: string[]) =>
  (await tree.json<Hits>(['knowledge', 'search', query, ...more])).entries.map(({ id }) => id);

test('what is added is found in both languages, has a history, and goes to a folder and back unchanged', async () => {
  const body = '# 障害対応の手順\n\nまず監視の記録を確認し、担当者へ連絡する。\n';
  const added = await tree.cli(['knowledge', 'add', '-', '--id', 'ops/outage', '--json'], { input: body });
  assert.equal(added.code, 0, added.stderr);
  const rollback = [
    '--title',
    'Roll back first',
    '--body',
    'Roll the deployment back.',
    '--kind',
    'decision',
  ];
  const { id } = await tree.json<KnowledgePutResult>(['knowledge', 'add', ...rollback]);
  assert.deepEqual(await search('障害'), ['ops/outage']);
  assert.deepEqual(await search('deployment rollback', '--kind', 'decision'), [id]);
  await tree.json(['knowledge', 'edit', id, '--tags', 'ops, release', '--reason', 'easier to find']);
  const { versions } = await tree.json<{ versions: unknown[] }>(['knowledge', 'history', id]);
  assert.equal(versions.length, 2);
  const taken = await tree.cli(['knowledge', 'add', '--id', id, '--title', 'x', '--json']);
  assert.deepEqual([taken.code, JSON.parse(taken.stdout).error.code], [1, 'conflict']);

  const out = await tree.json<{ written: string[] }>(['knowledge', 'export', 'notes']);
  assert.deepEqual(out.written.sort(), ['ops/outage.md', `${id}.md`].sort());
  const text = await readFile(join(tree.folder, 'notes/ops/outage.md'), 'utf8');
  assert.equal(text.endsWith(body), true);
  const back = await tree.json<Record<string, unknown>>(['knowledge', 'import', 'notes']);
  assert.deepEqual([back.added, back.changed, back.unchanged], [0, 0, 2]);
  const again = await tree.json<{ written: string[] }>(['knowledge', 'export', 'notes']);
  assert.deepEqual(again.written, []);

  await tree.json(['knowledge', 'edit', id, '--superseded-by', 'ops/outage']);
  assert.deepEqual(await search('deployment rollback'), []);
  assert.deepEqual(await search('deployment rollback', '--all'), [id]);
  const human = await tree.cli(['knowledge', 'show', id, '--lang', 'ja']);
  assert.match(human.stdout, /置き換え済み[\s\S]*Roll the deployment back\./);
});

test('an entry is changed in $EDITOR; what cannot be taken is kept for the user, and forgetting leaves nothing', async () => {
  const { id } = await tree.json<KnowledgePutResult>(['knowledge', 'add', '--title', '手順', '--body', '一']);
  const edit = (editor: string) =>
    tree.cli(['knowledge', 'edit', id, '--json'], { env: { EDITOR: editor, LANG: 'ja_JP.UTF-8' } });
  const taken = await edit("sed -i 's/一/カピバラの二/'");
  assert.deepEqual([taken.code, JSON.parse(taken.stdout).version], [0, 2], taken.stderr);
  assert.deepEqual(await search('カピバラ'), [id]);
  assert.equal(JSON.parse((await edit('true')).stdout).outcome, 'unchanged');
  assert.deepEqual([(await edit('false')).code, (await search('カピバラ'))[0]], [1, id]);

  const broken = await edit("sed -i '1a kind: novel'");
  assert.equal(JSON.parse(broken.stdout).error.code, 'malformed');
  const [kept = ''] = /\/\S*entry\.md/u.exec(broken.stderr) ?? [];
  assert.match(await readFile(kept, 'utf8'), /kind: novel[\s\S]*カピバラの二/);
  await rm(dirname(kept), { recursive: true });

  // Somebody else is faster than the editor.
  const faster = `${process.execPath} ${elders} --project ${tree.folder} knowledge edit ${id} --tags other; echo mine >>`;
  const late = await edit(faster);
  assert.equal(JSON.parse(late.stdout.slice(late.stdout.lastIndexOf('{\n  "error"'))).error.code, 'conflict');
  const [draft = ''] = /\/\S*entry\.md/u.exec(late.stderr) ?? [];
  assert.match(await readFile(draft, 'utf8'), /mine/);
  await rm(dirname(draft), { recursive: true });

  assert.equal((await tree.json<{ versions: number }>(['knowledge', 'forget', id])).versions, 3);
  assert.deepEqual(await search('カピバラ', '--all'), []);
  assert.equal((await tree.cli(['knowledge', 'show', id])).code, 1);
});

test('what outcomes prove is written down as derived, and the next plan and a restarted sage find it', async () => {
  const submit = async (run: string) => {
    const tasks = [{ id: 'unit', run, retries: 1 }];
    const input = JSON.stringify({ directive: 'Check the parser', tasks });
    const { stdout } = await tree.cli(['directive', 'submit', '-', '--json'], { input });
    const { id } = JSON.parse(stdout) as DirectiveRecord;
    return tree.waitFor(id);
  };
  assert.equal((await submit('exit 3')).state, 'failed');
  const passed = await submit('true');
  assert.equal(passed.state, 'completed');
  assert.equal(passed.lessons[0], 'Check the parser: failed');
  const key = `recovery/${passed.id}/unit`;
  for (;;) if ((await search('unit failed twice', '--limit', '20')).includes(key)) break;
  const entry = await tree.json<KnowledgeEntry>(['knowledge', 'show', key]);
  assert.deepEqual([entry.derived, entry.by], [true, 'claude_elder']);
  assert.match(entry.body, /failed twice[\s\S]*exit 3[\s\S]*is not proved/);
  await tree.cli(['restart', 'knowledge_sage']);
  assert.equal((await search('障害'))[0], 'ops/outage');
});
