import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { DirectiveView } from '../src/protocol/directive.ts';
import { TestTree } from '../test/support/tree.ts';
import { bullContestant } from './tasks/bullmq-contestant.ts';
import type { Contestant } from './tasks/contestant.ts';
import { makeContestant, xargsContestant } from './tasks/shell-contestants.ts';
import { measureSize } from './tasks/size.ts';

// What a task costs, beside what people would take instead; and whether the last of many costs what the first did.
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    tasks: { type: 'string', default: '200' },
    servants: { type: 'string', default: '2,8' },
    graph: { type: 'string', default: '10000' },
    parts: { type: 'string', default: 'overhead,graph' },
    size: { type: 'string', default: '100000' },
    worked: { type: 'string', default: '10000' },
    history: { type: 'string', default: '1000' },
  },
});
const rounds = Number(values.rounds);
const count = Number(values.tasks);
const parts = values.parts.split(',');
const graphSize = parts.includes('graph') ? Number(values.graph) : 0;
const command = 'true';

const say = (text: string) => process.stderr.write(`${text}\n`);
const median = (numbers: readonly number[]) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
const rounded = (value: number, digits = 2) => Number(value.toFixed(digits));

function treeContestant(name: string, isolation: Contestant['isolation'], tree: TestTree): Contestant {
  return {
    name,
    isolation,
    lacks: '',
    run: async (size) => {
      const tasks = Array.from({ length: size }, (_, index) => ({ id: `t${index}`, run: command }));
      const order = { directive: `Bench ${size}`, workspace: tree.folder, tasks };
      const { code, view } = await tree.submitAndWait(order);
      if (code !== 0 || view.state !== 'completed') throw new Error(`${name}: ${view.state}: ${view.reason}`);
      return (view.finishedAt as number) - view.submittedAt;
    },
    close: () => tree.dispose(),
  };
}

/** Runs the contestants in turn, round by round, and gives the median of each (ms). */
async function compete(contestants: readonly Contestant[], servants: number) {
  const times = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (const { run } of contestants) await run(Math.min(20, count));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, run } of contestants) times.get(name)?.push(await run(count));
    say(`${servants} servants: round ${round + 1} of ${rounds}`);
  }
  const perTask = (name: string) => median(times.get(name) ?? []) / count;
  const floor = perTask(`xargs -P${servants}`);
  const bull = perTask(`BullMQ worker, concurrency ${servants}`);
  return contestants.map(({ name, isolation, lacks }) => ({
    servants,
    contestant: name,
    isolation,
    msPerTask: rounded(perTask(name)),
    tasksPerSecond: rounded(1_000 / perTask(name), 1),
    overheadOverXargsMs: rounded(perTask(name) - floor),
    overheadToBullMQ: rounded((perTask(name) - floor) / (bull - floor)),
    ratioToBullMQ: rounded(perTask(name) / bull),
    lacks,
  }));
}

/** Runs one large graph and gives the time per task of each thousand, by when they ended (ms). */
async function flatness(tree: TestTree) {
  const chunk = Math.min(1_000, graphSize);
  const order = {
    directive: `Graph of ${graphSize}`,
    workspace: tree.folder,
    tasks: [{ id: 't', run: command, matrix: { n: Array.from({ length: graphSize }, (_, index) => index) } }],
  };
  const { view } = await tree.submitAndWait(order);
  const ended = (view as DirectiveView).tasks
    .map(({ finishedAt }) => finishedAt as number)
    .sort((a, b) => a - b);
  const perTask: number[] = [];
  for (let from = 0; from + chunk <= ended.length; from += chunk) {
    const begin = from === 0 ? view.submittedAt : (ended[from - 1] as number);
    perTask.push(rounded(((ended[from + chunk - 1] as number) - begin) / chunk));
  }
  const [first = NaN] = perTask;
  return {
    tasks: graphSize,
    state: view.state,
    msPerTaskByThousand: perTask,
    lastToFirst: rounded((perTask.at(-1) ?? NaN) / first),
  };
}

const results = [];
let graph: Awaited<ReturnType<typeof flatness>> | null = null;
const asked = parts.some((part) => part !== 'size') ? values.servants.split(',').map(Number) : [];
for (const servants of asked) {
  const walled = await TestTree.create({ servants });
  const open = await TestTree.create({ servants, config: { sandbox: 'none' } });
  const contestants: Contestant[] = [];
  try {
    const folder = join(walled.folder, 'shell');
    await mkdir(folder);
    await Promise.all([walled.up(), open.up()]);
    contestants.push(
      treeContestant('tree, bubblewrap', 'bubblewrap', walled),
      treeContestant('tree, no sandbox', 'none', open),
      await bullContestant(folder, command, servants),
      makeContestant(folder, command, servants),
      xargsContestant(folder, command, servants),
    );
    if (parts.includes('overhead')) results.push(...(await compete(contestants, servants)));
    if (graph === null && graphSize > 0) graph = await flatness(open);
  } finally {
    await Promise.all(contestants.map((contestant) => contestant.close()));
    if (contestants.length === 0) await Promise.all([walled.dispose(), open.dispose()]);
  }
}
for (const { servants, contestant, msPerTask, tasksPerSecond, ratioToBullMQ } of results) {
  const cells = [String(servants).padStart(2), contestant.padEnd(30), String(msPerTask).padStart(7)];
  say(`${cells.join('  ')} ms/task ${String(tasksPerSecond).padStart(7)}/s  ${ratioToBullMQ} × BullMQ`);
}
const size = parts.includes('size')
  ? await measureSize(
      { tasks: Number(values.size), worked: Number(values.worked), history: Number(values.history) },
      say,
    )
  : null;
const machine = { cores: availableParallelism(), node: process.version };
process.stdout.write(`${JSON.stringify({ bench: 'tasks', rounds, count, machine, results, graph, size })}\n`);
