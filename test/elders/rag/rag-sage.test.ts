import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Agent } from '../../../src/agents/agent.ts';
import type { Effect } from '../../../src/agents/core.ts';
import type { SourceReport } from '../../../src/elders/rag/indexing/source-report.ts';
import { type RagEffect, type RagInput, ragSage } from '../../../src/elders/rag/rag-sage.ts';
import type { RagAnswer } from '../../../src/protocol/rag.ts';
import { MemoryTree } from '../../support/memory-tree.ts';

const self = 'rag_sage';
const empty: Omit<RagAnswer, 'indexing'> = { method: 'lexical', reason: null, results: [] };

let tree: MemoryTree;
let effects: RagEffect[];
let agent: Agent;

async function start(): Promise<{ kill(): void }> {
  effects = [];
  const perform = (effect: Effect) => void effects.push(effect as unknown as RagEffect);
  const life = await tree.start(self, ragSage(), { perform });
  agent = life.agent;
  return life;
}

beforeEach(async () => {
  tree = new MemoryTree();
});

async function tell(input: RagInput): Promise<void> {
  await agent.input(input as unknown as Effect);
  await tree.clock.settle();
}

function report(state: SourceReport['state']): RagInput {
  const sums = { files: 1, passages: 2, bytes: 3, skipped: {}, problems: [], problemCount: 0 };
  return {
    kind: 'report',
    report: { path: '/p', state, reason: null, ...sums, changed: 1, tookMs: 4, watching: 'yes', at: 5 },
  };
}

const answers = () => tree.sent(self, 'gateway');

test('a question is answered when its answer comes from outside, once', async () => {
  await start();
  const question = tree.message('gateway', self, 'sage.rag.search', { query: 'q' });
  await tree.send(question);
  assert.deepEqual(answers(), [], 'not before');
  const [effect] = effects;
  assert.ok(effect?.kind === 'search' && effect.question.id === question.message_id);
  await tell({ kind: 'answered', id: question.message_id, answer: { result: empty } });
  await tell({ kind: 'answered', id: question.message_id, answer: { result: empty } });
  const [answer, ...more] = answers();
  assert.deepEqual(more, []);
  assert.deepEqual([answer?.action, answer?.causation_id], ['reply.result', question.message_id]);
  assert.deepEqual(answer?.payload, { result: { ...empty, indexing: false } });
});

test('a successor indexes the same folders and asks again what was not answered', async () => {
  const life = await start();
  await tree.send(tree.message('claude_elder', self, 'sage.rag.index', { path: '/p' }));
  await tree.send(tree.message('gateway', self, 'sage.rag.context', { query: 'q' }));
  life.kill();
  await start();
  assert.deepEqual(
    effects.map(({ kind }) => kind),
    ['index', 'search'],
  );
});

test('the state of a tree and of git is not indexed, named itself either', async () => {
  await start();
  for (const path of ['/p/.elders', '/p/.elders/secret/ca.key', '/p/.git/config']) {
    await tree.send(tree.message('claude_elder', self, 'sage.rag.index', { path }));
    assert.equal(tree.sent(self, 'claude_elder').at(-1)?.payload.code, 'conflict', path);
  }
  await tree.send(tree.message('claude_elder', self, 'sage.rag.index', { path: '/p/.github' }));
  assert.deepEqual(effects, [{ kind: 'index', path: '/p/.github' }]);
});

test('how many passages have vectors is told, until no server is configured any more', async () => {
  await start();
  const vectors = { model: 'ollama/m', made: 3, refused: 0, passages: 4, reason: null };
  await tell({ kind: 'vectors', vectors });
  const told = async () => {
    await tree.send(tree.message('gateway', self, 'sage.rag.status', {}));
    const result = answers().at(-1)?.payload.result as { vectors: unknown } | undefined;
    return result?.vectors;
  };
  assert.deepEqual(await told(), vectors);
  await tell({ kind: 'vectors', vectors: null });
  assert.equal(await told(), null);
});

test('who waits for a folder is answered when it is indexed; what nobody waits for any more is dropped', async () => {
  await start();
  await tree.send(tree.message('claude_elder', self, 'sage.rag.index', { path: '/p' }));
  await tree.send(tree.message('gateway', self, 'sage.rag.status', { settled: '/p' }));
  await tell(report('indexing'));
  assert.deepEqual(answers(), []);
  await tree.send(tree.message('claude_elder', self, 'sage.rag.status', {}));
  const soFar = tree.sent(self, 'claude_elder').at(-1)?.payload.result as { sources: { files: number }[] };
  assert.equal(soFar.sources[0]?.files, 1, 'what can be found so far is told');
  await tell(report('ready'));
  const result = answers()[0]?.payload.result as { sources: { state: string; files: number }[] };
  assert.deepEqual([result.sources[0]?.state, result.sources[0]?.files], ['ready', 1]);

  await tree.send(tree.message('gateway', self, 'sage.rag.search', { query: 'q' }));
  await tree.clock.advance(61_000);
  assert.deepEqual(tree.rows(self, 'pending'), []);
});

test('a folder that is forgotten is not indexed again, and the gateway cannot order either by itself', async () => {
  await start();
  await tree.send(tree.message('gateway', self, 'sage.rag.index', { path: '/p' }));
  assert.deepEqual(effects, [], 'there is no edge that carries it');
  await tree.send(tree.message('claude_elder', self, 'sage.rag.index', { path: '/p' }));
  await tree.send(tree.message('claude_elder', self, 'sage.rag.forget', { path: '/p' }));
  await tell(report('ready'));
  assert.deepEqual(tree.rows(self, 'sources'), []);
});
