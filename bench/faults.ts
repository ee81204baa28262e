import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { type Evidence, type Fault, faults, flooded, startFaultyTree } from './faults/faulty-tree.ts';
import { median, quantile, rounded } from './messaging/statistics.ts';
import type { ManagedTree } from './supervision/managed-tree.ts';

// What the other paths of a tree notice while one elder hangs, floods its edges, leaks memory or burns its processor,
// or while the commands of tasks burn it.
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    /** Questions per path in each phase. */
    questions: { type: 'string', default: '100' },
    faults: { type: 'string', default: faults.join(',') },
    /** Takes away what bounds a fault, so that one sees what it is good for. */
    unguarded: { type: 'boolean', default: false },
    /** How far commands stand back. */
    niceness: { type: 'string', default: '10' },
  },
});
const rounds = Number(values.rounds);
const questions = Number(values.questions);
/** Neither of them has to do with the elder that goes wrong, nor with whom that floods. */
const others = ['knowledge_sage', 'rag_sage'];
const goal = 2;

/** From which figure on a fault acts. */
const acting: Readonly<Record<Fault, number>> = { hang: 1, flood: 230, leak: 150, burn: 500, tasks: 8 };

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
  const options = { edgeLimit: 256, guarded: !values.unguarded, niceness: Number(values.niceness) };
  const { tree, faulty, goWrong, recover, evidence } = await startFaultyTree(fault, options);
  const quiet: Record<string, number[]> = {};
  const wrong: Record<string, number[]> = {};
  const seen: Evidence[] = [];
  const note = (into: Record<string, number[]>, times: Map<string, number[]>) => {
    for (const [name, each] of times) into[name] = [...(into[name] ?? []), quantile(each, 0.99)];
  };
  const asked = fault === 'flood' ? [...others, flooded] : others;
  try {
    await tree.settled();
    await ask(tree, asked);
    for (let round = 0; round < rounds; round += 1) {
      note(quiet, await ask(tree, asked));
      await goWrong();
      // A leak acts from its beginning to its end; all others are to act in full before anything is measured.
      while (fault !== 'leak' && (await evidence()).value < acting[fault]) await tree.ping('rag_sage');
      note(wrong, await ask(tree, asked));
      seen.push(await evidence());
      const { restarts } = tree.elder(faulty);
      await recover();
      if (fault === 'leak' || fault === 'burn')
        await tree.until(() => tree.elder(faulty).restarts > restarts);
      await tree.settled();
    }
    const { restarts } = tree.elder(faulty);
    const paths = asked.map((path) => {
      const [before, during] = [median(quiet[path] ?? []), median(wrong[path] ?? [])];
      return {
        path,
        quietP99Ms: rounded(before, 1),
        faultP99Ms: rounded(during, 1),
        ratio: rounded(during / before),
      };
    });
    for (const { path, quietP99Ms, faultP99Ms, ratio } of paths) {
      say(
        `${fault.padEnd(6)} ${path.padEnd(15)} p99 ${quietP99Ms} ms, with the fault ${faultP99Ms} ms: ${ratio} times`,
      );
    }
    const shown = { what: seen[0]?.what ?? '', values: seen.map(({ value }) => value) };
    say(`${fault.padEnd(6)} ${shown.what}: ${shown.values.join(', ')}`);
    return { fault, restarts, evidence: shown, paths };
  } finally {
    if (fault === 'hang') await recover();
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
// Commands of tasks are no elder: for them the figures stand without a goal.
const elders = results.filter(({ fault }) => fault !== 'tasks');
const met = elders.every(({ paths }) => paths.every(({ ratio }) => ratio <= goal));
const { unguarded } = values;
process.stdout.write(
  `${JSON.stringify({ bench: 'faults', rounds, questions, unguarded, machine, goal, met, results })}\n`,
);
process.exit(0);
