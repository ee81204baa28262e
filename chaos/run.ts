import { parseArgs } from 'node:util';
import { type ChaosOptions, runChaos, usualKinds } from './chaos.ts';
import { type FaultKind, faultKinds } from './faults.ts';
import { type GuardName, guardNames } from './guards.ts';

const usage = `npm run chaos -- [--messages N] [--seconds N] [--rounds N] [--appendfsync always|everysec] [--seed N]
  --messages N      go on until so many messages are acknowledged (20000)
  --seconds N       and at least so long (0)
  --rounds N        and until every kind of fault was made so often (1)
  --rate N          messages per second of all producers; without it as fast as possible
  --appendfsync P   always (the default) or everysec, which adds the power cut
  --seed N          order of the faults and their victims (1); the processes keep their own time
  --faults LIST     only these kinds: ${faultKinds.join(', ')}
  --guard-off LIST  switch these guards off, which must break something: ${guardNames.join(', ')}
  --keep            leave the folder of the run behind
`;

function fail(text: string): never {
  process.stderr.write(`${text}\n${usage}`);
  process.exit(2);
}

function numberOf(text: string | undefined, name: string, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    fail(`--${name} wants a whole number from ${least}, not ${text}`);
  return value;
}

function options() {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      options: {
        messages: text,
        seconds: text,
        rounds: text,
        rate: text,
        appendfsync: text,
        seed: text,
        faults: text,
        'guard-off': text,
        keep: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

const values = options();
const { appendfsync = 'always', 'guard-off': guard, keep } = values;
if (appendfsync !== 'always' && appendfsync !== 'everysec') fail(`--appendfsync ${appendfsync} is not known`);
const guardsOff = guard?.split(',') ?? [];
for (const off of guardsOff) if (!guardNames.some((name) => name === off)) fail(`there is no guard ${off}`);
const kinds = values.faults?.split(',') ?? usualKinds(appendfsync);
for (const kind of kinds) if (!faultKinds.some((name) => name === kind)) fail(`there is no fault ${kind}`);

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
const settings: ChaosOptions = {
  messages: numberOf(values.messages, 'messages', 1) ?? 20_000,
  seconds: numberOf(values.seconds, 'seconds', 0) ?? 0,
  rounds: numberOf(values.rounds, 'rounds', 0) ?? 1,
  rate: numberOf(values.rate, 'rate', 1) ?? null,
  seed: numberOf(values.seed, 'seed', 0) ?? 1,
  appendfsync,
  kinds: kinds as FaultKind[],
  guardsOff: guardsOff as GuardName[],
  keep,
  say: (text) => void process.stderr.write(`${text}\n`),
  signal: stopping.signal,
};
try {
  const report = await runChaos(settings);
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exitCode = report.ok ? 0 : 1;
} catch (error) {
  if (!stopping.signal.aborted) throw error;
  process.stderr.write('interrupted; everything is stopped\n');
  process.exitCode = 130;
}
