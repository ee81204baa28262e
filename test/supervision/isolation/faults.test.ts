import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { test } from 'node:test';
import { burners, type FaultyTree, flooded, startFaultyTree } from '../../../bench/faults/faulty-tree.ts';
import { sessionNiceness } from '../../support/session-niceness.ts';

const others = ['grand_elder', 'knowledge_sage', 'rag_sage'];
const edgeLimit = 128;
const memoryMb = 250;

/** Answers of each of the others: that they come at all is asked here, how soon is measured by the benchmark. */
async function othersAnswer({ tree }: FaultyTree, rounds = 5): Promise<void> {
  for (let round = 0; round < rounds; round += 1) await Promise.all(others.map((name) => tree.ping(name)));
}

/** Has the others answer until the fault acts by this figure. */
async function until(faultyTree: FaultyTree, acts: (value: number) => boolean): Promise<void> {
  while (!acts((await faultyTree.evidence()).value)) await othersAnswer(faultyTree, 1);
}

/** Has a tree go wrong and looks that nobody but the faulty one was replaced meanwhile. */
async function withFault(
  fault: Parameters<typeof startFaultyTree>[0],
  options: Parameters<typeof startFaultyTree>[1],
  look: (faultyTree: FaultyTree) => Promise<void>,
): Promise<void> {
  const faultyTree = await startFaultyTree(fault, options);
  const { tree, goWrong, recover } = faultyTree;
  try {
    await tree.settled();
    const pids = () => others.map((name) => tree.elder(name).pid);
    const before = pids();
    await goWrong();
    await look(faultyTree);
    assert.deepEqual(pids(), before, 'none of the others was replaced');
  } finally {
    if (fault === 'hang') await recover();
    await tree.close();
  }
}

// What stands between an elder that hangs or burns and the others is that each is a process of its own. The
// control asks the faulty elder itself: whoever shares its process is not answered.
for (const [fault, acts] of [
  ['hang', (value: number) => value === 1],
  ['burn', (value: number) => value >= 1_000],
] as const) {
  test(`others are answered while one elder goes wrong, which itself is not: ${fault}`, async () => {
    await withFault(fault, {}, async (faultyTree) => {
      const { tree, faulty } = faultyTree;
      const { incarnation } = tree.elder(faulty);
      let isAnswered = false;
      const own = tree.ping(faulty).then(
        () => {
          isAnswered = true;
        },
        () => undefined,
      );
      await until(faultyTree, acts);
      await othersAnswer(faultyTree);
      assert.equal(isAnswered, false, 'the fault acts');
      assert.equal(tree.elder(faulty).incarnation, incarnation, 'and still holds');
      await faultyTree.recover();
      await own;
      assert.equal(isAnswered, true, 'what was asked of it meanwhile is answered in the end');
    });
  });
}

/**
 * How much the fullest lane of the flood held at some moment, at least: the two sides of an edge are not read at one time, so
 * what was sent is taken from a look before that at what is handled.
 */
async function heldAtLeast({ tree, faulty }: FaultyTree): Promise<number> {
  const look = async () => {
    const { edges } = await tree.operations.describe(flooded);
    return edges.filter(({ source, target }) => source === faulty && target === flooded);
  };
  const [before, after] = [await look(), await look()];
  const backlogs = before.map(({ lane, sent }) => {
    return sent - (after.find((edge) => edge.lane === lane)?.handled ?? sent);
  });
  return Math.max(0, ...backlogs);
}

test('others are answered while one elder floods its edges, which hold no more than their limit', async () => {
  await withFault('flood', { edgeLimit }, async (faultyTree) => {
    const { tree, faulty } = faultyTree;
    const { incarnation } = tree.elder(faulty);
    await until(faultyTree, (value) => value > edgeLimit * 0.9);
    for (let look = 0; look < 10; look += 1) {
      await othersAnswer(faultyTree, 1);
      const held = await heldAtLeast(faultyTree);
      assert.ok(held <= edgeLimit, `${held} wait in an edge for ${edgeLimit}`);
    }
    assert.equal(tree.elder(faulty).incarnation, incarnation);
  });
});

test('control: without a limit an edge takes whatever is sent', async () => {
  await withFault('flood', { guarded: false }, async (faultyTree) => {
    while ((await heldAtLeast(faultyTree)) <= edgeLimit * 2) await othersAnswer(faultyTree, 1);
  });
});

test('others are answered while one elder leaks memory, which is replaced at its limit', async () => {
  await withFault('leak', { memoryLimit: `${memoryMb}MB` }, async (faultyTree) => {
    const { tree, faulty } = faultyTree;
    const { incarnation } = tree.elder(faulty);
    await until(faultyTree, (value) => value > memoryMb / 2 || tree.elder(faulty).incarnation > incarnation);
    while (tree.elder(faulty).incarnation === incarnation) await othersAnswer(faultyTree, 1);
    assert.equal(tree.elder(faulty).restarts, 1);
    await tree.settled();
    assert.ok((await faultyTree.evidence()).value < memoryMb, 'its successor has not what it had');
  });
});

test('control: without a limit its memory grows on', async () => {
  await withFault('leak', { guarded: false }, async (faultyTree) => {
    await until(faultyTree, (value) => value > memoryMb * 2);
    assert.equal(faultyTree.tree.elder(faultyTree.faulty).restarts, 0);
  });
});

/** How far the processes of commands stand back: within their session, as a session, and when memory runs out. */
function standing(pid: number): { nice: number; session: number | null; oom: number } {
  const oom = Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'));
  return { nice: getPriority(pid), session: sessionNiceness(pid), oom };
}

test('commands that burn the processor stand back for the elders, in every way that the kernel has', async () => {
  await withFault('tasks', {}, async (faultyTree) => {
    await until(faultyTree, (value) => value === burners);
    await othersAnswer(faultyTree);
    const { tree, commands } = faultyTree;
    const elder = standing(tree.elder('grand_elder').pid as number);
    const session = elder.session === null ? null : 10;
    const wanted = { nice: Math.min(19, elder.nice + 10), session, oom: Math.min(1_000, elder.oom + 500) };
    assert.equal(elder.session ?? 0, 0);
    // The kernel takes one of them after the other, where it shares by sessions.
    while (!commands().every((pid) => standing(pid).session === session)) await othersAnswer(faultyTree, 1);
    for (const pid of commands()) assert.deepEqual(standing(pid), wanted);
  });
});

test('control: with niceness 0 they take as much as an elder', async () => {
  await withFault('tasks', { guarded: false }, async (faultyTree) => {
    await until(faultyTree, (value) => value > 0);
    const { tree, commands } = faultyTree;
    const elder = standing(tree.elder('grand_elder').pid as number);
    const command = standing(commands()[0] as number);
    assert.deepEqual([command.nice, command.session], [elder.nice, elder.session]);
  });
});
