import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { DirectiveView } from '../src/protocol/directive.ts';
import { TestTree } from '../test/support/tree.ts';

// How much a task costs when it goes through the whole hierarchy, beside a shell that runs the same commands.
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    sizes: { type: 'string', default: '10,100,1000' },
    servants: { type: 'string', default: '2' },
  },
});
const rounds = Number(values.rounds);
const sizes = values.sizes.split(',').map(Number);
const servants = Number(values.servants);
const command = 'true';

const say = (text: string) => process.stderr.write(`${text}\n`);
const median = (numbers: readonly number[]) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
const rounded = (value: number, digits = 2) => Number(value.toFixed(digits));

async function timed(program: string, args: string[], cwd: string): Promise<number> {
  const began = performance.now();
  const [code] = await once(spawn(program, args, { cwd, stdio: 'ignore' }), 'close');
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
  return performance.now() - began;
}

interface Contestant {
  readonly name: string;
  /** Runs so many tasks and gives the time from the order to the last outcome (ms). */
  run(tasks: number): Promise<number>;
}

function treeContestant(name: string, tree: TestTree): Contestant {
  return {
    name,
    run: async (count) => {
      const tasks = Array.from({ length: count }, (_, index) => ({ id: `t${index}`, run: command }));
      const { code, view } = await tree.submitAndWait({
        directive: `Flow ${count}`,
        workspace: tree.folder,
        tasks,
      });
      if (code !== 0 || view.state !== 'completed') throw new Error(`${name}: ${view.state}: ${view.reason}`);
      return (view.finishedAt as number) - (view as DirectiveView).submittedAt;
    },
  };
}

/** A script with one line per task, each in a shell of its own, as the servants run them. */
function shellContestant(folder: string): Contestant {
  return {
    name: 'shell script, one after another',
    run: async (count) => {
      const script = join(folder, `script-${count}.sh`);
      await writeFile(
        script,
        Array.from({ length: count }, () => `bash -e -o pipefail -c '${command}'`).join('\n'),
      );
      return timed('sh', [script], folder);
    },
  };
}

function xargsContestant(folder: string): Contestant {
  return {
    name: `xargs -P ${servants}`,
    run: async (count) => {
      const script = `seq ${count} | xargs -P ${servants} -I{} bash -e -o pipefail -c '${command}'`;
      return timed('sh', ['-c', script], folder);
    },
  };
}

const sandboxed = await TestTree.create({ servants });
const open = await TestTree.create({ servants, config: { sandbox: 'none' } });
try {
  const folder = join(sandboxed.folder, 'shell');
  await mkdir(folder);
  await Promise.all([sandboxed.up(), open.up()]);
  const contestants = [
    treeContestant('tree, bubblewrap', sandboxed),
    treeContestant('tree, no sandbox', open),
    shellContestant(folder),
    xargsContestant(folder),
  ];
  const results = [];
  for (const size of sizes) {
    const times = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
    for (const { run } of contestants) await run(Math.min(size, 10));
    for (let round = 0; round < rounds; round += 1) {
      for (const { name, run } of contestants) times.get(name)?.push(await run(size));
      say(`${size} tasks: round ${round + 1} of ${rounds}`);
    }
    const shell = median(times.get('shell script, one after another') ?? []);
    for (const [name, measured] of times) {
      const ms = median(measured);
      results.push({
        tasks: size,
        contestant: name,
        medianMs: rounded(ms, 1),
        tasksPerSecond: rounded((size * 1_000) / ms, 1),
        overheadPerTaskMs: rounded((ms - shell) / size),
        ratioToShell: rounded(ms / shell),
      });
    }
  }
  for (const { tasks, contestant, medianMs, tasksPerSecond, overheadPerTaskMs } of results) {
    const cells = [String(tasks).padStart(6), contestant.padEnd(32), String(medianMs).padStart(9)];
    say(
      `${cells.join('  ')} ms ${String(tasksPerSecond).padStart(8)}/s  ${overheadPerTaskMs} ms over the shell script`,
    );
  }
  const machine = { cores: availableParallelism(), node: process.version };
  process.stdout.write(`${JSON.stringify({ bench: 'flow', rounds, servants, machine, results })}\n`);
} finally {
  await Promise.all([sandboxed.dispose(), open.dispose()]);
}
