import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { SearchQuestion } from '../src/elders/rag/indexing/messages.ts';
import type { SourceReport } from '../src/elders/rag/indexing/source-report.ts';
import { RagThreads } from '../src/elders/rag/rag-threads.ts';
import { compare } from './indexing/compare.ts';
import type { MadeTree } from './indexing/make-tree.ts';
import { rounded } from './messaging/statistics.ts';

/**
 * How long it takes to index a tree of mixed files and to keep it indexed, with the threads of the RAG sage. Queries run
 * all the while. Then the same passages in MiniSearch and in Orama. `--files 50000 --megabytes 1024 --no-compare` is the
 * full size, which takes the libraries very long. The last line is all figures in JSON.
 */
const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '1000' },
    megabytes: { type: 'string' },
    compare: { type: 'boolean', default: true },
    corpus: { type: 'string', default: join(import.meta.dirname, '../../shared/corpus') },
    keep: { type: 'boolean', default: false },
  },
  allowNegative: true,
});
const megabytes = Number(values.megabytes ?? Number(values.files) / 50);
/** Names, words and sentences, common and rare, in both languages, some misspelt: few are asked twice while it indexes. */
const queries = `
how is a lease renewed|commit message|障害|コミットメッセージ|connection refused error|readFileSync|how to retry failed jobs
バックアップの手順|certificate rotation|docker compose|kare|promise queue worker|権限の確認|監査ログはどこに保存されますか
memory leak in a long running process|テストが失敗したとき|getElementById|max_retry_count|parse config file|設定ファイルの書き方
what happens when redis is full|キューが詰まる|authentcation token expired|再起動|package.json scripts|ログの出力先を変える
unhandled promise rejection|時間切れ|list all open files|線形補間|how do I install it|インストール方法|license|rate limit
バージョンアップの注意点|stream backpressure|データベース接続|undefined is not a function|色の指定|merge conflict|並列実行
write a unit test for a class|証明書の有効期限|cache invalidation|環境変数|user name and password|正規表現|event loop delay
`
  .trim()
  .split(/[|\n]/u);

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The threads of a sage, with the answers and reports to wait for. */
class Bench {
  readonly threads: RagThreads;
  readonly latencies: number[] = [];
  #answered = new Map<string, () => void>();
  #settled: ((report: SourceReport) => void) | undefined;

  constructor(indexPath: string) {
    this.threads = new RagThreads(
      { indexPath, maxFileBytes: 4_000_000, embeddings: null },
      {
        onReport: (report) => {
          if (report.state === 'ready') this.#settled?.(report);
          if (report.state === 'failed') throw new Error(report.reason ?? 'failed');
        },
        onForgotten: () => {},
        onAnswer: (id, answer) => {
          if ('error' in answer) throw new Error(answer.error.reason);
          this.#answered.get(id)?.();
          this.#answered.delete(id);
        },
        warn: (fields, text) => say(`${text} ${JSON.stringify(fields)}`),
      },
    );
  }

  settled(): Promise<SourceReport> {
    return new Promise((resolve) => (this.#settled = resolve));
  }

  async ask(query: string, source: string): Promise<number> {
    const id = String(Math.random());
    const question: SearchQuestion = { id, kind: 'search', query, limit: 10, below: null, sources: [source] };
    const begun = performance.now();
    await new Promise<void>((resolve) => {
      this.#answered.set(id, resolve);
      this.threads.ask(question);
    });
    return performance.now() - begun;
  }
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

function latencyText(latencies: number[]): string {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => `${percentile(sorted, share).toFixed(1)} ms`;
  return `${sorted.length} queries, p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, longest ${at(1)}`;
}

function figuresOf(latencies: readonly number[]): Record<'queries' | 'p50' | 'p95' | 'p99', number> {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => rounded(percentile(sorted, share));
  return { queries: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

const folder = mkdtempSync(join(tmpdir(), 'elders-indexing-'));
process.on('exit', () => {
  if (!values.keep) rmSync(folder, { recursive: true, force: true });
});
const tree = join(folder, 'tree');
const indexPath = join(folder, 'index', 'index.sqlite');
mkdirSync(tree);
// In a process of its own, so that its memory is not counted.
const making = [tree, values.files, String(megabytes * 1e6), values.corpus];
const made: MadeTree = JSON.parse(
  execFileSync(process.execPath, [join(import.meta.dirname, 'indexing/make-tree.ts'), ...making], {
    encoding: 'utf8',
    maxBuffer: 64_000_000,
  }),
);
say(`tree: ${made.files} files, ${(made.bytes / 1e6).toFixed(0)} MB`);

let peak = 0;
const sampler = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 200).unref();

/** Asks ten times a second until the tree is indexed. */
async function askWhile(
  bench: Bench,
  work: Promise<SourceReport>,
): Promise<{ report: SourceReport; latencies: number[] }> {
  const latencies: number[] = [];
  let report: SourceReport | undefined;
  void work.then((done) => (report = done));
  for (let at = 0; report === undefined; at += 1) {
    latencies.push(await bench.ask(queries[at % queries.length]!, tree));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { report, latencies };
}

const bench = new Bench(indexPath);
const cpu = process.cpuUsage();
const begun = performance.now();
const first = bench.settled();
bench.threads.index(tree);
const { report, latencies } = await askWhile(bench, first);
const seconds = (performance.now() - begun) / 1_000;
const { user, system } = process.cpuUsage(cpu);
say(
  `first index: ${seconds.toFixed(1)} s (${((user + system) / 1e6).toFixed(1)} s of CPU), ${report.files} files, ${report.passages} passages, ` +
    `${(made.bytes / 1e6 / seconds).toFixed(2)} MB/s; index ${(statSync(indexPath).size / 1e6).toFixed(0)} MB`,
);
say(`while indexing: ${latencyText(latencies)}`);
say(`memory at most: ${(peak / 1e6).toFixed(0)} MB, this benchmark included`);

const changed = bench.settled();
const changedAt = performance.now();
for (let at = 0; at < 10; at += 1) {
  const path = made.paths[Math.floor((at * made.paths.length) / 10)]!;
  appendFileSync(path, `\nzebrafinch${at} was added\n`);
}
const again = await changed;
const changedSeconds = (performance.now() - changedAt) / 1_000;
say(`10 changed files: ${changedSeconds.toFixed(2)} s until they are found (${again.changed} read)`);
const still: number[] = [];
for (let round = 0; round < 20; round += 1)
  for (const query of queries) still.push(await bench.ask(query, tree));
say(`at rest: ${latencyText(still)}`);
await bench.threads.close();

const restarted = performance.now();
const next = new Bench(indexPath);
const whole = next.settled();
next.threads.index(tree);
await next.ask('zebrafinch3', tree);
const readySeconds = (performance.now() - restarted) / 1_000;
say(`restart: first answer after ${readySeconds.toFixed(2)} s`);
await whole;
say(`restart: everything looked at again after ${((performance.now() - restarted) / 1_000).toFixed(2)} s`);
await next.threads.close();
clearInterval(sampler);
const comparison = values.compare ? await compare({ tree, folder, queries }, say) : null;
say(
  JSON.stringify({
    ...{ files: report.files, bytes: made.bytes, passages: report.passages },
    ...{ indexSeconds: rounded(seconds), cpuSeconds: rounded((user + system) / 1e6) },
    ...{
      peakMegabytes: rounded(peak / 1e6, 0),
      whileIndexing: figuresOf(latencies),
      atRest: figuresOf(still),
    },
    ...{ changedSeconds: rounded(changedSeconds), readySeconds: rounded(readySeconds) },
    comparison,
  }),
);
