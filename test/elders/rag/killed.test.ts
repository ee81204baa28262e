import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { IndexStore, removeIndex } from '../../../src/elders/rag/indexing/index-store.ts';
import { RagThreads } from '../../../src/elders/rag/rag-threads.ts';

/** Indexes a folder in a process that is killed once something of it is written; gives whether it was not done by then. */
async function indexUntilKilled(indexPath: string, root: string): Promise<boolean> {
  const program = join(import.meta.dirname, 'fixture/index-until-killed.ts');
  const child = spawn(process.execPath, [program, indexPath, root], { stdio: ['ignore', 'pipe', 'inherit'] });
  const written = watch(dirname(indexPath), () => {
    const log = statSync(`${indexPath}-wal`, { throwIfNoEntry: false });
    if (log !== undefined && log.size > 200_000) child.kill('SIGKILL');
  });
  let isDone = false;
  for await (const line of createInterface({ input: child.stdout })) {
    isDone ||= line.startsWith('ready');
    if (isDone) child.kill('SIGKILL');
  }
  written.close();
  return !isDone;
}

test('a kill in the middle of indexing loses nothing that the next start does not read again', async (t) => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'elders-rag-')));
  t.after(() => rmSync(base, { recursive: true, force: true }));
  const root = join(base, 'tree');
  mkdirSync(root);
  const count = 900;
  for (let number = 0; number < count; number += 1) {
    writeFileSync(
      join(root, `file${number}.md`),
      `# Part ${number}\n\n${'words of it '.repeat(60)}\n\nmarker${number}\n`,
    );
  }
  const indexPath = join(base, 'index.sqlite');
  // A machine may be so quick that the kill comes too late; then it is tried on a new index.
  for (let tries = 1; !(await indexUntilKilled(indexPath, root)); tries += 1) {
    assert.ok(tries < 20, 'it was killed before it was done');
    removeIndex(indexPath);
  }

  const { promise, resolve } = Promise.withResolvers<number>();
  const threads = new RagThreads(
    { indexPath, maxFileBytes: 1_000_000, embeddings: null },
    {
      onReport: ({ state, files }) => state === 'ready' && resolve(files),
      onForgotten: () => {},
      onAnswer: () => {},
      warn: () => {},
    },
  );
  threads.index(root);
  assert.equal(await promise, count);
  await threads.close();
  const store = IndexStore.open(indexPath);
  t.after(() => store.close());
  store.index.verify();
  assert.equal(store.index.rebuilt, undefined, 'what had been written was kept');
  assert.deepEqual(store.index.size(), { documents: count, chunks: count }, 'nothing is there twice');
  // Every passage belongs to a document and has its terms once.
  const { database } = store.index;
  const one = (sql: string) => Number(Object.values(database.prepare(sql).get() ?? {})[0]);
  const lost = one('SELECT count(*) FROM chunks WHERE document NOT IN (SELECT id FROM documents)');
  const terms = one('SELECT count(*) FROM terms_docsize');
  assert.deepEqual([lost, terms, one('SELECT count(*) FROM rag_files')], [0, count, count]);
});
