import { parseArgs } from 'node:util';
import { type GuardName, guardNames } from './guards.ts';
import { type RunResult, simulate } from './world.ts';

const usage = `npm run simulate -- [--seeds COUNT] [--seed N] [--verbose] [--guard-off NAME]
  --seeds COUNT     run this many seeds (300), beginning with the one given by --seed (1)
  --seed N          run this seed alone, or begin with it
  --verbose         print every event on standard error
  --guard-off NAME  switch one guard off, which must break something: ${guardNames.join(', ')}
`;

function fail(text: string): never {
  process.stderr.write(`${text}\n${usage}`);
  process.exit(2);
}

function numberOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) fail(`--${name} wants a whole number from 1, not ${text}`);
  return value;
}

function options() {
  try {
    return parseArgs({
      options: {
        seeds: { type: 'string' },
        seed: { type: 'string' },
        verbose: { type: 'boolean', default: false },
        'guard-off': { type: 'string' },
      },
    }).values;
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

const values = options();
const first = numberOf(values.seed, 'seed') ?? 1;
const count = numberOf(values.seeds, 'seeds') ?? (values.seed === undefined ? 300 : 1);
const guard = values['guard-off'];
if (guard !== undefined && !guardNames.some((name) => name === guard)) fail(`there is no guard ${guard}`);
const guardOff = (guard ?? null) as GuardName | null;

const began = performance.now();
const totals = {
  directives: 0,
  tasks: 0,
  executions: 0,
  restarts: 0,
  steps: 0,
  virtualMs: 0,
  fulls: 0,
  deaths: 0,
  replays: 0,
  killed: 0,
  audited: 0,
  lostCommits: 0,
  alarms: 0,
};
const failed: Pick<RunResult, 'seed' | 'violations'>[] = [];
for (let seed = first; seed < first + count; seed += 1) {
  const print = values.verbose ? (line: string) => void process.stderr.write(`${line}\n`) : undefined;
  const result = await simulate({ seed, guardOff, ...(print && { print }) });
  for (const key of Object.keys(totals) as (keyof typeof totals)[]) totals[key] += result[key];
  if (result.violations.length > 0) {
    failed.push({ seed, violations: result.violations });
    const off = guardOff ? ` --guard-off ${guardOff}` : '';
    process.stderr.write(`seed ${seed} broke ${result.violations.length} guarantees:\n`);
    for (const violation of result.violations.slice(0, 10)) process.stderr.write(`  ${violation}\n`);
    process.stderr.write(`  again: npm run simulate -- --seed ${seed} --verbose${off}\n`);
  }
  if (count === 1) process.stderr.write(`trace hash ${result.traceHash}\n`);
  else if ((seed - first + 1) % 25 === 0) process.stderr.write(`${seed - first + 1} of ${count} seeds\n`);
}
const seconds = Math.round(performance.now() - began) / 1_000;
const report = { schemaVersion: 1, firstSeed: first, seeds: count, guardOff, seconds, ...totals, failed };
process.stdout.write(`${JSON.stringify(report)}\n`);
process.exitCode = failed.length > 0 ? 1 : 0;
