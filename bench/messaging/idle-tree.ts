import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { stagePackage } from '../../test/support/staged-package.ts';
import { TestTree } from '../../test/support/tree.ts';
import { proportionalMb } from './process-cost.ts';
import { median, rounded } from './statistics.ts';

const restarts = 5;
const restarted = 'knowledge_sage';

/** Memory of the elders of an idle tree that runs from the built package, and how long one takes to start anew. */
export async function measureIdleTree(): Promise<unknown> {
  const staged = await mkdtemp(join(tmpdir(), 'elders-bench-'));
  try {
    await stagePackage(staged);
    await symlink(resolve(import.meta.dirname, '../../node_modules'), join(staged, 'node_modules'));
    const tree = await TestTree.create({ program: join(staged, 'bin/elders.cjs') });
    try {
      await tree.up();
      const { elders } = await tree.status();
      const memory = elders.flatMap(({ name, pid }) =>
        pid === null ? [] : [[name, proportionalMb(pid)] as const],
      );
      const starts: number[] = [];
      for (let index = 0; index < restarts; index += 1) starts.push(await timeRestart(tree));
      return {
        pssMb: Object.fromEntries(memory.map(([name, mb]) => [name, rounded(mb, 1)])),
        medianPssMb: rounded(median(memory.map(([, mb]) => mb)), 1),
        startMs: Math.round(median(starts)),
      };
    } finally {
      await tree.dispose();
    }
  } finally {
    await rm(staged, { recursive: true, force: true });
  }
}

/** Kills an elder and gives the ms from the start of its successor until that was ready. */
async function timeRestart(tree: TestTree): Promise<number> {
  const before = await tree.elder(restarted);
  process.kill(before.pid as number, 'SIGKILL');
  for (;;) {
    const now = await tree.elder(restarted);
    if (now.incarnation === before.incarnation || now.state !== 'ready') continue;
    const log = await readFile(join(tree.folder, '.elders/log', restarted, `${restarted}.log`), 'utf8');
    const readyAt = log
      .split('\n')
      .filter((line) => line.includes('"ready"'))
      .map((line) => Date.parse((JSON.parse(line) as { time: string }).time))
      .at(-1);
    return (readyAt as number) - (now.startedAt as number);
  }
}
