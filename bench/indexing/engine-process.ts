import { readFileSync, statSync } from 'node:fs';
import { quantile, rounded } from '../messaging/statistics.ts';
import { type EngineFiles, engines } from './engines.ts';

/** What one process of an engine measured; memory in MB. */
export interface EngineFigures {
  /** Until what was to be done was done: all indexed and written, or the first question answered (s). */
  readonly seconds: number;
  /** Most that was resident at a time. */
  readonly peak: number;
  /** Its share (PSS) at the end. */
  readonly held: number;
  /** Size of what lies on disk. */
  readonly disk: number;
  /** Answers (ms). */
  readonly p50: number;
  readonly p99: number;
}

/** Times that each question is asked: the libraries take long for one, and there are three starts. */
const rounds = 3;

function memory(file: string, name: string): number {
  const [, kb = 0] = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(file, 'utf8')) ?? [];
  return rounded(Number(kb) / 1_000, 0);
}

async function measure(
  name: string,
  phase: string,
  files: EngineFiles,
  queries: readonly string[],
): Promise<EngineFigures> {
  const engine = engines[name]?.();
  if (engine === undefined) throw new RangeError(`there is no engine ${name}`);
  const latencies: number[] = [];
  const begun = performance.now();
  if (phase === 'build') await engine.build(files);
  else {
    await engine.open(files);
    await engine.search(queries[0] ?? '');
  }
  const seconds = (performance.now() - begun) / 1_000;
  for (let round = 0; phase !== 'build' && round < rounds; round += 1) {
    for (const query of queries) {
      const asked = performance.now();
      await engine.search(query);
      latencies.push(performance.now() - asked);
    }
  }
  globalThis.gc?.();
  const held = memory('/proc/self/smaps_rollup', 'Pss');
  const peak = memory('/proc/self/status', 'VmHWM');
  await engine.close();
  const figures = {
    seconds: rounded(seconds, 3),
    peak,
    held,
    disk: rounded(statSync(files.index).size / 1e6, 0),
  };
  return { ...figures, p50: rounded(quantile(latencies, 0.5)), p99: rounded(quantile(latencies, 0.99)) };
}

const [name = '', phase = '', files = '', queries = ''] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await measure(name, phase, JSON.parse(files), JSON.parse(queries))));
process.exit(0);
