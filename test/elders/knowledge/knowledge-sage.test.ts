import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { knowledgeSage } from '../../../src/elders/knowledge/knowledge-sage.ts';
import type { Action, KnowledgeDraft, PayloadInput, ReplyOf } from '../../../src/protocol/actions.ts';
import type { KnowledgeHit } from '../../../src/protocol/knowledge.ts';
import { MemoryTree } from '../../support/memory-tree.ts';

const self = 'knowledge_sage';

let tree: MemoryTree;
beforeEach(async () => {
  tree = new MemoryTree();
  await tree.start(self, knowledgeSage());
});

async function store(changes: Partial<KnowledgeDraft>): Promise<void> {
  const draft = { key: 'k', title: '', body: '', tags: [], directiveId: null, ...changes };
  await tree.send(tree.message('claude_elder', self, 'sage.knowledge.store', draft));
  await tree.clock.advance(1);
}

async function search(query: string, limit = 5): Promise<KnowledgeHit[]> {
  await tree.send(tree.message('gateway', self, 'sage.knowledge.search', { query, limit }));
  const answer = tree.sent(self, 'gateway').at(-1);
  assert.ok(answer);
  assert.equal(answer.action, 'reply.result', JSON.stringify(answer.payload));
  return (answer.payload.result as unknown as { entries: KnowledgeHit[] }).entries;
}

test('what was stored is found by its words, the best first', async () => {
  await store({ key: 'a', title: 'Redis outage', body: '本番環境障害対応' });
  await store({ key: 'b', title: 'Release', body: 'the outage of Redis delayed it' });
  await store({ key: 'c', title: 'Lunch', tags: ['ランチ'] });
  assert.deepEqual(
    (await search('redis outage')).map(({ id }) => id),
    ['a', 'b'],
  );
  assert.deepEqual(
    (await search('障害')).map(({ id, by }) => [id, by]),
    [['a', 'claude_elder']],
  );
  assert.deepEqual(
    (await search('ランチ')).map(({ id }) => id),
    ['c'],
  );
  assert.deepEqual(await search('absent'), []);
});

test('the same key again is a new version', async () => {
  await store({ key: 'a', title: 'old words' });
  await store({ key: 'a', title: 'new words' });
  assert.deepEqual(
    (await search('words')).map(({ title }) => title),
    ['new words'],
  );
  assert.deepEqual(await search('old'), []);
});

test('of equals the newest come first, and no more than asked for', async () => {
  for (const key of ['a', 'b', 'c']) await store({ key, title: 'same' });
  assert.deepEqual(
    (await search('same', 2)).map(({ id }) => id),
    ['c', 'b'],
  );
});

test('an answer fits a message, however long the entries are', async () => {
  for (let index = 0; index < 50; index += 1)
    await store({ key: `k${index}`, title: 'long', body: '長'.repeat(65_536) });
  const hits = await search('long', 50);
  assert.equal(hits.length, 50);
});

async function ask<A extends Action>(action: A, payload: PayloadInput<A>): Promise<ReplyOf<A>> {
  const isOrder = action === 'sage.knowledge.put' || action === 'sage.knowledge.forget';
  const source = isOrder ? 'claude_elder' : 'gateway';
  await tree.send(tree.message(source, self, action, payload));
  await tree.clock.advance(1);
  const answer = tree.sent(self, source).at(-1);
  assert.equal(answer?.action, 'reply.result', JSON.stringify(answer?.payload));
  return answer?.payload.result as ReplyOf<A>;
}

async function put(...entries: PayloadInput<'sage.knowledge.put'>['entries']) {
  return (await ask('sage.knowledge.put', { entries, note: 'why' })).results;
}

test('a change makes a version, the same again makes none, and history tells who changed what and why', async () => {
  const [added] = await put({ title: 'Use Redis 7', body: 'one', kind: 'decision' });
  const id = added?.id as string;
  assert.match(id, /^use-redis-7-/);
  assert.deepEqual([added?.outcome, added?.version], ['added', 1]);
  const [same] = await put({ id, title: 'Use Redis 7', body: 'one', kind: 'decision' });
  assert.deepEqual([same?.outcome, same?.version], ['unchanged', 1]);
  await put({ id, title: 'Use Redis 8', body: 'one', kind: 'decision', ifVersion: 1 });
  const { versions, dropped } = await ask('sage.knowledge.history', { id });
  assert.deepEqual(
    versions.map(({ version, by, note, changed }) => [version, by, note, changed]),
    [
      [2, 'human', 'why', ['title']],
      [1, 'human', 'why', []],
    ],
  );
  assert.equal(dropped, 0);
  assert.equal((await ask('sage.knowledge.show', { id })).title, 'Use Redis 8');
  assert.equal((await ask('sage.knowledge.show', { id, version: 1 })).title, 'Use Redis 7');
  const [late] = await put({ id, title: 'Use Redis 9', ifVersion: 1 });
  assert.deepEqual([late?.outcome, late?.code, late?.version], ['refused', 'conflict', 2]);
});

test('of many versions the first and the newest stay', async () => {
  for (let number = 1; number <= 30; number += 1) await put({ id: 'a', title: `t${number}` });
  const { versions, dropped } = await ask('sage.knowledge.history', { id: 'a' });
  assert.deepEqual([versions.at(0)?.version, versions.at(-1)?.version, versions.length], [30, 1, 21]);
  assert.equal(dropped, 9);
});

test('what is superseded or expired is found only by those who ask for all', async () => {
  await put({ id: 'new', title: 'outage' });
  await put({ id: 'old', title: 'outage', supersededBy: 'new' });
  await put({ id: 'stale', title: 'outage', expiresAt: tree.clock.now() });
  const found = async (all: boolean) => {
    const { entries } = await ask('sage.knowledge.search', { query: 'outage', all });
    return entries.map(({ id, state }) => `${id} ${state}`).sort();
  };
  assert.deepEqual(await found(false), ['new current']);
  assert.deepEqual(await found(true), ['new current', 'old superseded', 'stale expired']);
  assert.deepEqual((await ask('sage.knowledge.show', { id: 'new' })).supersedes, ['old']);
});

test('nothing replaces itself, and nothing is replaced by what is not there; the others are taken', async () => {
  const results = await put(
    { id: 'a', title: 'a', supersededBy: 'absent' },
    { id: 'b', title: 'b' },
    { id: 'c', title: 'c', supersededBy: 'b' },
    { id: 'b', title: 'b', supersededBy: 'c' },
  );
  assert.deepEqual(
    results.map(({ outcome, code }) => [outcome, code]),
    [
      ['refused', 'not_found'],
      ['added', null],
      ['added', null],
      ['refused', 'conflict'],
    ],
  );
});

test('near-duplicates are linked both ways, in both languages, and a distinct search gives one of them', async () => {
  const english =
    'The build failed because the cache of the package manager was stale and had to be cleared.';
  const japanese = '本番環境で障害が起きたときは、まず監視の記録を確認し、次に担当者へ連絡すること。';
  const [first] = await put({ id: 'en', title: 'Stale cache', body: english });
  assert.deepEqual(first?.similar, []);
  const [copy] = await put({ id: 'en2', title: 'Stale cache', body: `${english} Always.` });
  assert.deepEqual(
    copy?.similar.map(({ id }) => id),
    ['en'],
  );
  await put({ id: 'ja', title: '障害対応', body: japanese });
  const [twin] = await put({ id: 'ja2', title: '障害対応', body: japanese.replace('まず', 'はじめに') });
  assert.deepEqual(
    twin?.similar.map(({ id }) => id),
    ['ja'],
  );
  assert.deepEqual(
    (await ask('sage.knowledge.show', { id: 'en' })).similar.map(({ id }) => id),
    ['en2'],
  );
  const distinct = await ask('sage.knowledge.search', { query: 'stale cache', distinct: true });
  assert.equal(distinct.entries.length, 1);
  await put({ id: 'en2', title: 'Lunch', body: 'The canteen opens at noon.' });
  assert.deepEqual((await ask('sage.knowledge.show', { id: 'en' })).similar, []);
});

test('reading all by id meets each entry once, with its body', async () => {
  for (const id of ['c', 'a', 'b', 'd/e']) await put({ id, title: id, body: `body of ${id}` });
  const met: string[] = [];
  for (let after = ''; ; ) {
    const { entries, more } = await ask('sage.knowledge.list', { after, limit: 2, all: true });
    met.push(...entries.map(({ body }) => body));
    if (!more) break;
    after = entries.at(-1)?.id as string;
  }
  assert.deepEqual(met, ['body of a', 'body of b', 'body of c', 'body of d/e']);
});

test('where room ends, old versions and derived entries go; what people wrote is kept or refused', async () => {
  tree = new MemoryTree();
  await tree.start(self, knowledgeSage(undefined, { entries: 3, versions: 20, characters: 100_000 }));
  await store({ key: 'd1', title: 'derived 1', derived: true });
  await put({ id: 'p1', title: 'p1' });
  await put({ id: 'p2', title: 'p2' });
  await put({ id: 'p3', title: 'p3' });
  const ids = async () =>
    (await ask('sage.knowledge.list', { after: '', all: true })).entries.map(({ id }) => id);
  assert.deepEqual(await ids(), ['p1', 'p2', 'p3']);
  const refused = tree.message('claude_elder', self, 'sage.knowledge.put', {
    entries: [{ id: 'p4', title: 'p4' }],
  });
  await tree.send(refused);
  await tree.clock.advance(1);
  assert.equal(tree.sent(self, 'claude_elder').at(-1)?.payload.code, 'too_large');
  assert.deepEqual(await ids(), ['p1', 'p2', 'p3']);
});
