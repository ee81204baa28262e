import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { median, rounded } from '../messaging/statistics.ts';
import type { EngineFigures } from './engine-process.ts';
import { engines } from './engines.ts';

/** What an engine came to: of its building once, of its starts the medians. */
interface Compared {
  readonly engine: string;
  readonly build: Omit<EngineFigures, 'p50' | 'p99'>;
  readonly start: EngineFigures;
}

/** The comparison, with what an engine could not do said instead of figures. */
export interface Comparison {
  readonly passages: number;
  readonly characters: number;
  readonly engines: readonly (Compared | { readonly engine: string; readonly failed: string })[];
  /** Of each library to this engine: 2 is twice as much. */
  readonly ratios: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const own = 'elders-tree';
const starts = 3;
const heapMegabytes = 6_000;

async function figuresOf(args: readonly string[]): Promise<EngineFigures> {
  const program = join(import.meta.dirname, 'engine-process.ts');
  // The libraries hold everything in one heap, and would die of the usual limit.
  const heap = args[0] === own ? [] : [`--max-old-space-size=${heapMegabytes}`];
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', ...heap, program, ...args]);
  return JSON.parse(stdout);
}

function medians(all: readonly EngineFigures[]): EngineFigures {
  const of = (name: keyof EngineFigures) => median(all.map((each) => each[name]));
  return {
    ...{ seconds: of('seconds'), peak: of('peak'), held: of('held') },
    ...{ disk: of('disk'), p50: of('p50'), p99: of('p99') },
  };
}

function row(cells: readonly (string | number)[]): string {
  return cells.map((cell, at) => (at === 0 ? String(cell).padEnd(15) : String(cell).padStart(10))).join('');
}

/**
 * Indexes the same passages with this engine and with the libraries, each in processes of its own, and starts each from
 * what it left on disk. The RAG sage reads and cuts the files itself; the libraries get the passages ready-made.
 */
export async function compare(
  options: { readonly tree: string; readonly folder: string; readonly queries: readonly string[] },
  say: (line: string) => void,
): Promise<Comparison> {
  const { tree, folder, queries } = options;
  const passages = join(folder, 'passages.jsonl');
  const cutting = [join(import.meta.dirname, 'passages.ts'), tree, passages];
  const counted: { passages: number; characters: number } = JSON.parse(
    execFileSync(process.execPath, cutting, { encoding: 'utf8' }),
  );
  say(`the same ${counted.passages} passages in each engine; memory in MB, medians of ${starts} starts:`);
  say(row(['', 'index s', 'peak', 'disk', 'ready s', 'held', 'p50 ms', 'p99 ms']));
  const compared: (Compared | { engine: string; failed: string })[] = [];
  for (const engine of Object.keys(engines)) {
    const files = { tree, passages, index: join(folder, engine, 'index.db') };
    execFileSync('mkdir', ['-p', join(folder, engine)]);
    const args = [JSON.stringify(files), JSON.stringify(queries)];
    try {
      const build = await figuresOf([engine, 'build', ...args]);
      const all: EngineFigures[] = [];
      for (let at = 0; at < starts; at += 1) all.push(await figuresOf([engine, 'start', ...args]));
      const start = medians(all);
      const { p50: _, p99: __, ...once } = build;
      compared.push({ engine, build: once, start });
      const { seconds, held, p50, p99 } = start;
      say(row([engine, build.seconds, build.peak, start.disk, seconds, held, p50, p99]));
    } catch (error) {
      const lines = String((error as Error).message).split('\n');
      const failed = (lines.find((line) => /Error|FATAL/u.test(line)) ?? lines[0] ?? '').slice(0, 200);
      compared.push({ engine, failed });
      say(`${engine}: ${failed}`);
    }
  }
  return { ...counted, engines: compared, ratios: ratiosOf(compared) };
}

function ratiosOf(compared: Comparison['engines']): Comparison['ratios'] {
  const done = compared.filter((each): each is Compared => 'build' in each);
  const [first, ...others] = done;
  if (first?.engine !== own) return {};
  return Object.fromEntries(
    others.map(({ engine, build, start }) => [
      engine,
      {
        index: rounded(build.seconds / first.build.seconds),
        peak: rounded(build.peak / first.build.peak),
        ready: rounded(start.seconds / first.start.seconds),
        held: rounded(start.held / first.start.held),
        p50: rounded(start.p50 / first.start.p50),
        p99: rounded(start.p99 / first.start.p99),
      },
    ]),
  );
}
