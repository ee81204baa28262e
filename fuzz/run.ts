import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';

const usage = `npm run fuzz -- [--inputs COUNT] [--seed N]
  --inputs COUNT  how many inputs to make (1,000,000)
  --seed N        where chance begins; the seed of a failure makes that input the first (the time of day)
`;

function wholeNumber(text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  process.stderr.write(`not a whole number from 1: ${text}\n${usage}`);
  process.exit(2);
}

function options() {
  try {
    return parseArgs({ options: { inputs: { type: 'string' }, seed: { type: 'string' } } }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return process.exit(2);
  }
}

const values = options();
const inputs = wholeNumber(values.inputs, 1_000_000);
const seed = wholeNumber(values.seed, (Date.now() % 1_000_000_000) + 1);
process.stderr.write(`${inputs} inputs from seed ${seed}\n`);
const began = performance.now();
const report = await fuzz({
  inputs,
  seed,
  onProgress: (done) => void process.stderr.write(`${done} of ${inputs}\n`),
});
for (const failure of report.failures.slice(0, 5)) {
  process.stderr.write(
    `${failure.target}: ${failure.error}\n  again: npm run fuzz -- --inputs 1 --seed ${failure.seed}\n`,
  );
}
const seconds = Math.round(performance.now() - began) / 1_000;
process.stderr.write(
  `accepted ${report.accepted}, refused ${report.refused}, failures ${report.failures.length}, seed ${seed}\n`,
);
process.stdout.write(`${JSON.stringify({ schemaVersion: 1, seed, seconds, ...report })}\n`);
process.exitCode = report.failures.length > 0 ? 1 : 0;
