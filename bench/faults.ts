import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { type Fault, faults, faulty, flooded, startFaultyTree } from './faults/faulty-tree.ts';
import { median, quantile, rounded } from './messaging/statistics.ts';
import type { ManagedTree } from './supervision/managed-tree.ts';

// What the other paths of a tree notice while one elder hangs, floods its edges, leaks memory or burns its processor.
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    /** Questions per path in each phase. */
    questions: { type: 'string', default: '200' },
    faults: { type: 'string', default: faults.join(',') },
  },
});
const rounds = Number(values.rounds);
const questions = Number(values.questions);
/** Neither of them has to do with the elder that goes wrong, nor with whom that floods. */
const others = ['knowledge_sage', 'rag_sage'];
const goal = 2;

const say = (text: string) => process.stderr.write(`${text}\n`);

/** Asks again and again, one question after the other on each path, and gives the ms that each took, by path. */
async function ask(tree: ManagedTree, names: readonly string[]): Promise<Map<string, number[]>> {
  const times = new Map(names.map((name) => [name, [] as number[]]));
  await Promise.all(
    names.map(async (name) => {
      for (let count = 0; count < questions; count += 1) {
        const began = performance.now();
        await tree.ping(name);
        times.get(name)?.push(performance.now() - began);
      }
    }),
  );
  return times;
}

async function measure(fault: Fault) {
  const { tree, goWrong, recover } = await startFaultyTree(fault);
  const quiet: Record<string, number[]> = {};
  const wrong: Record<string, number[]> = {};
  const note = (into: Record<string, number[]>, times: Map<string, number[]>) => {
    for (const [name, each] of times) into[name] = [...(into[name] ?? []), quantile(each, 0.99)];
  };
  try {
    await tree.settled();
    await ask(tree, others);
    for (let round = 0; round < rounds; round += 1) {
      note(quiet, await ask(tree, others));
      const { incarnation } = tree.elder(faulty);
      goWrong();
      note(wrong, await ask(tree, fault === 'flood' ? [...others, flooded] : others));
      if (fault !== 'leak') recover();
      else await tree.until(() => tree.elder(faulty).incarnation > incarnation);
      await tree.settled();
    }
    const { restarts } = tree.elder(faulty);
    const paths = others.map((path) => {
      const [before, during] = [median(quiet[path] ?? []), median(wrong[path] ?? [])];
      return {
        path,
        quietP99Ms: rounded(before, 1),
        faultP99Ms: rounded(during, 1),
        ratio: rounded(during / before),
      };
    });
    const receiver = fault === 'flood' ? { floodedP99Ms: rounded(median(wrong[flooded] ?? []), 1) } : {};
    for (const { path, quietP99Ms, faultP99Ms, ratio } of paths) {
      say(
        `${fault.padEnd(6)} ${path.padEnd(15)} p99 ${quietP99Ms} ms, with the fault ${faultP99Ms} ms: ${ratio} times`,
      );
    }
    return { fault, restarts, paths, ...receiver };
  } finally {
    if (fault === 'hang') recover();
    await tree.close();
  }
}

const chosen = values.faults.split(',').map((name) => {
  const fault = faults.find((each) => each === name);
  if (fault === undefined) throw new Error(`no fault ${name}: ${faults.join(', ')}`);
  return fault;
});
const machine = {
  cores: availableParallelism(),
  node: process.version,
  load: loadavg().map((each) => rounded(each, 1)),
};
const results = [];
for (const fault of chosen) results.push(await measure(fault));
const met = results.every(({ paths }) => paths.every(({ ratio }) => ratio <= goal));
process.stdout.write(
  `${JSON.stringify({ bench: 'faults', rounds, questions, machine, goal, met, results })}\n`,
);
process.exit(0);
