import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grandElder } from '../../src/elders/grand/grand-elder.ts';
import { Gateway } from '../../src/gateway/gateway.ts';
import { gatewayCore } from '../../src/gateway/gateway-core.ts';
import { configSchema } from '../../src/protocol/config.ts';
import type { ParsedAsk } from '../../src/protocol/local-api.ts';
import { hasCode } from '../messaging/conformance.ts';
import { directive, task } from '../support/directive.ts';
import { type Life, MemoryTree } from '../support/memory-tree.ts';

/** The grand elder's process: the elder and the gateway live and die together. */
async function startProcess(
  tree: MemoryTree,
  withElder = true,
): Promise<{ gateway: Gateway; kill: () => void }> {
  const gateway = new Gateway();
  const door = await tree.start('gateway', gatewayCore(), { perform: (effect) => gateway.perform(effect) });
  gateway.attach(door.agent);
  const elder = withElder ? await tree.start('grand_elder', grandElder(configSchema.parse({}))) : null;
  const kill = () => {
    door.kill();
    elder?.kill();
  };
  return { gateway, kill };
}

const spec = directive([task('a')]);
const submission: ParsedAsk = {
  target: 'grand_elder',
  action: 'development.directive.submit',
  payload: { directiveId: 'd', directive: spec as never },
  idempotencyKey: 'key-of-d',
  priority: 5,
  timeoutMs: 1_000,
};
const query: ParsedAsk = {
  ...submission,
  action: 'development.directive.list',
  payload: {},
  idempotencyKey: 'key-0002',
};
const never = new AbortController().signal;

test('a submission repeated under its key acts once, whenever the grand elder restarts', async () => {
  for (const progress of ['sent', 'answered']) {
    const tree = new MemoryTree();
    let current = await startProcess(tree, progress === 'answered');
    const first = current.gateway.ask(submission, never);
    first.catch(() => {});
    if (progress === 'answered') await first;
    else await tree.clock.settle();
    assert.equal(tree.handled('grand_elder', 'gateway'), progress === 'answered' ? 1 : 0);
    for (let repeat = 0; repeat < 3; repeat += 1) {
      current.kill();
      current = await startProcess(tree);
      const record = (await current.gateway.ask(submission, never)) as { id: string; state: string };
      assert.deepEqual([record.id, record.state], ['d', 'accepted'], progress);
    }
    assert.equal(tree.sentAs('gateway', 'grand_elder', 'development.directive.submit').length, 1, progress);
    assert.equal(
      tree.sentAs('grand_elder', 'claude_elder', 'development.directive.execute').length,
      1,
      progress,
    );
  }
});

test('even a submission under another key acts once, for a directive has its id', async () => {
  const tree = new MemoryTree();
  const { gateway } = await startProcess(tree);
  await gateway.ask(submission, never);
  await gateway.ask({ ...submission, idempotencyKey: 'another-key' }, never);
  assert.equal(tree.sentAs('grand_elder', 'claude_elder', 'development.directive.execute').length, 1);
});

async function alone(edgeLimit?: number): Promise<{ tree: MemoryTree; gateway: Gateway; life: Life }> {
  const tree = new MemoryTree(edgeLimit);
  const gateway = new Gateway();
  const life = await tree.start('gateway', gatewayCore(), { perform: (effect) => gateway.perform(effect) });
  gateway.attach(life.agent);
  return { tree, gateway, life };
}

test('a caller that goes away withdraws its question; the answer is then late, and said to be', async () => {
  const { tree, gateway } = await alone();
  const caller = new AbortController();
  const asked = assert.rejects(gateway.ask(query, caller.signal), hasCode('interrupted'));
  await tree.clock.settle();
  assert.equal(tree.rows('gateway', '@asks').length, 1);
  caller.abort();
  await asked;
  await tree.clock.settle();
  assert.deepEqual([tree.rows('gateway', '@asks'), tree.rows('gateway', 'requests')], [[], []]);
  await tree.start('grand_elder', grandElder(configSchema.parse({})));
  await tree.clock.settle();
  assert.deepEqual(
    tree.journal('gateway').map(({ l }) => l),
    [true],
  );
});

test('as long as another caller waits for the same, it is not withdrawn', async () => {
  const { tree, gateway } = await alone();
  const caller = new AbortController();
  const gone = assert.rejects(gateway.ask(query, caller.signal), hasCode('interrupted'));
  const waiting = gateway.ask(query, never);
  await tree.clock.settle();
  caller.abort();
  await gone;
  await tree.start('grand_elder', grandElder(configSchema.parse({})));
  assert.deepEqual(await waiting, { directives: [] });
});

test('a command whose caller went away is not withdrawn: its answer waits under its key', async () => {
  const { tree, gateway } = await alone();
  const caller = new AbortController();
  const asked = assert.rejects(gateway.ask(submission, caller.signal), hasCode('interrupted'));
  await tree.clock.settle();
  caller.abort();
  await asked;
  await tree.start('grand_elder', grandElder(configSchema.parse({})));
  const record = (await gateway.ask(submission, never)) as { state: string };
  assert.equal(record.state, 'accepted');
  assert.equal(tree.sentAs('gateway', 'grand_elder', 'development.directive.submit').length, 1);
});

test('a caller is told that the edge is full, an emergency still gets through', async () => {
  const { tree, gateway } = await alone(2);
  const waiting: Promise<unknown>[] = [];
  for (const key of ['full-0001', 'full-0002']) {
    waiting.push(gateway.ask({ ...query, idempotencyKey: key }, never));
  }
  await tree.clock.settle();
  await assert.rejects(gateway.ask({ ...query, idempotencyKey: 'full-0003' }, never), hasCode('edge_full'));
  const halt = { action: 'emergency.halt', payload: { directiveId: null, reason: 'x' } };
  const emergency = gateway.ask({ ...submission, ...halt, idempotencyKey: 'halt-0001' }, never);
  await tree.clock.settle();
  assert.equal(tree.sentAs('gateway', 'grand_elder', 'emergency.halt').length, 1);
  await tree.start('grand_elder', grandElder(configSchema.parse({})));
  await emergency;
  await Promise.all(waiting);
});
