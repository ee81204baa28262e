import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { type KnowledgeLimits, knowledgeLimits } from '../../../src/elders/knowledge/entries/room.ts';
import { totalsOf } from '../../../src/elders/knowledge/entries/tables.ts';
import { knowledgeSage } from '../../../src/elders/knowledge/knowledge-sage.ts';
import type { Action, PayloadInput } from '../../../src/protocol/actions.ts';
import type { KnowledgeEntry, KnowledgePutResult } from '../../../src/protocol/knowledge.ts';
import { MemoryTree } from '../../support/memory-tree.ts';

const self = 'knowledge_sage';
let tree: MemoryTree;
beforeEach(() => start(knowledgeLimits));

async function start(limits: KnowledgeLimits): Promise<void> {
  tree = new MemoryTree();
  await tree.start(self, knowledgeSage(undefined, limits));
}

/** Sends as the claude elder does and gives the answer, or the code of its refusal. */
async function order<A extends Action>(action: A, payload: PayloadInput<A>): Promise<unknown> {
  await tree.send(tree.message('claude_elder', self, action, payload));
  await tree.clock.advance(1);
  const answer = tree.sent(self, 'claude_elder').at(-1);
  return answer?.action === 'reply.result' ? answer.payload.result : answer?.payload.code;
}

async function put(...entries: PayloadInput<'sage.knowledge.put'>['entries']): Promise<KnowledgePutResult[]> {
  return ((await order('sage.knowledge.put', { entries })) as { results: KnowledgePutResult[] }).results;
}

async function show(id: string): Promise<KnowledgeEntry> {
  await tree.send(tree.message('gateway', self, 'sage.knowledge.show', { id }));
  return tree.sent(self, 'gateway').at(-1)?.payload.result as unknown as KnowledgeEntry;
}

const ids = () =>
  tree
    .rows(self, 'knowledge')
    .map((row) => (row as { id: string }).id)
    .sort();
const kept = () => tree.rows(self, 'former').length;

test('what is forgotten is gone with its versions and links; what others are hidden behind is not', async () => {
  const text = 'The build failed because the cache of the package manager was stale.';
  await put(
    { id: 'new', title: 'Stale cache', body: text },
    { id: 'twin', title: 'Stale cache', body: text },
  );
  await put({ id: 'new', title: 'Stale cache!', body: text });
  await put({ id: 'old', title: 'x', supersededBy: 'new' });
  assert.equal(await order('sage.knowledge.forget', { id: 'new' }), 'conflict');
  await put({ id: 'old', title: 'x' });
  assert.deepEqual(await order('sage.knowledge.forget', { id: 'new' }), {
    ...{ id: 'new', title: 'Stale cache!', versions: 2 },
  });
  assert.equal(await order('sage.knowledge.forget', { id: 'new' }), 'not_found');
  assert.deepEqual((await show('twin')).similar, []);
  assert.deepEqual(ids(), ['old', 'twin']);
  // Of what was forgotten nothing is left in the state, and the room it took is free again.
  assert.equal(JSON.stringify(tree.rows(self, 'former')).includes('Stale'), false);
  await order('sage.knowledge.forget', { id: 'old' });
  await order('sage.knowledge.forget', { id: 'twin' });
  assert.ok(tree.rows(self, 'totals').includes(0));
});

test('where room ends, what has expired goes before what was derived, and a successor stays', async () => {
  await start({ ...knowledgeLimits, entries: 4 });
  const now = tree.clock.now();
  await put(
    { id: 'successor', title: 'successor', expiresAt: now + 1 },
    { id: 'hidden', title: 'hidden', supersededBy: 'successor' },
    { id: 'derived', title: 'derived', derived: true },
    { id: 'stale', title: 'stale', expiresAt: now + 2 },
  );
  await tree.clock.advance(10);
  await put({ id: 'a', title: 'a' });
  assert.deepEqual(ids(), ['a', 'derived', 'hidden', 'successor']);
  await put({ id: 'b', title: 'b' });
  assert.deepEqual(ids(), ['a', 'b', 'hidden', 'successor']);
  assert.equal(await order('sage.knowledge.put', { entries: [{ id: 'c', title: 'c' }] }), 'too_large');
});

test('what a process derives from output holds no secrets; what a person writes is left as it is', async () => {
  const token = `ghp_${'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'}`;
  const draft = { title: 't', body: `before\nlogin ${token}\nafter`, tags: [], directiveId: null };
  for (const derived of [true, false]) {
    const what = { ...draft, key: String(derived), derived };
    await tree.send(tree.message('claude_elder', self, 'sage.knowledge.store', what));
    await tree.clock.advance(1);
  }
  assert.equal((await show('true')).body, 'before\n[secret]\nafter');
  assert.equal((await show('false')).body, draft.body);
});

/** Edits one entry again and again; what is kept of it must stop growing. */
async function growth(limits: KnowledgeLimits): Promise<number[]> {
  await start(limits);
  const sizes: number[] = [];
  for (let number = 1; number <= 60; number += 1) {
    await put({ id: 'a', title: `t${number}`, body: 'x'.repeat(100) });
    if (number % 30 === 0) sizes.push(kept());
  }
  return sizes;
}

test('former versions are bounded; without the bound the same edits keep them all', async () => {
  assert.deepEqual(await growth(knowledgeLimits), [20, 20]);
  assert.deepEqual(await growth({ ...knowledgeLimits, versions: Number.POSITIVE_INFINITY }), [29, 59]);
});

/** Two authors who read, think and write in turn, each adding a line; gives how many lines got lost. */
async function lostLines(isGuarded: boolean): Promise<number> {
  await start(knowledgeLimits);
  await put({ id: 'a', title: 'a' });
  const rounds = 5;
  for (let round = 0; round < rounds; round += 1) {
    let authors = ['x', 'y'];
    while (authors.length > 0) {
      const read = await show('a');
      const results: string[] = [];
      for (const author of authors) {
        const body = `${read.body}${author}${round}\n`;
        const guard = isGuarded ? { ifVersion: read.version } : {};
        const [result] = await put({ id: 'a', title: 'a', body, ...guard });
        results.push(result?.code ?? 'taken');
      }
      authors = authors.filter((_, at) => results[at] === 'conflict');
    }
  }
  return rounds * 2 - (await show('a')).body.trim().split('\n').length;
}

test('nobody overwrites what he has not read; without the version somebody does', async () => {
  assert.equal(await lostLines(true), 0);
  assert.equal(await lostLines(false), 5);
});

test('state without a format is of the first and goes on; state of a newer program is refused and left as it is', async () => {
  await put({ id: 'a', title: 'a' });
  const life = await tree.start(self, { handlers: {}, onStart: (ctx) => totalsOf(ctx).delete('format') });
  life.kill();
  const next = await tree.start(self, knowledgeSage());
  assert.equal((await show('a')).title, 'a');
  next.kill();
  const newer = await tree.start(self, { handlers: {}, onStart: (ctx) => totalsOf(ctx).put('format', 2) });
  newer.kill();
  const before = tree.rows(self, 'knowledge');
  const { ended } = await tree.start(self, knowledgeSage());
  await assert.rejects(ended, /format 2, and this program knows format 1/);
  assert.deepEqual(tree.rows(self, 'knowledge'), before);
});
