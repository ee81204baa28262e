import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { knowledgeSage } from '../../../src/elders/knowledge/knowledge-sage.ts';
import type { KnowledgeDraft, KnowledgeHit } from '../../../src/protocol/actions.ts';
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
    (await search('redis outage')).map(({ key }) => key),
    ['a', 'b'],
  );
  assert.deepEqual(
    (await search('障害')).map(({ key, source }) => [key, source]),
    [['a', 'claude_elder']],
  );
  assert.deepEqual(
    (await search('ランチ')).map(({ key }) => key),
    ['c'],
  );
  assert.deepEqual(await search('absent'), []);
});

test('the same key again replaces the entry', async () => {
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
    (await search('same', 2)).map(({ key }) => key),
    ['c', 'b'],
  );
});

test('an answer fits a message, however long the entries are', async () => {
  for (let index = 0; index < 50; index += 1)
    await store({ key: `k${index}`, title: 'long', body: '長'.repeat(65_536) });
  const hits = await search('long', 50);
  assert.equal(hits.length, 50);
});
