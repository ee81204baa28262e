import { dirname } from 'node:path';
import type { CutFile } from '../cut/cut-file.ts';
import type { CuttingPool } from '../cut/cutting-pool.ts';
import { FolderWatch } from '../files/folder-watch.ts';
import { lookAt, rulesIn, seenAt, type WalkedFile, walk } from '../files/walk.ts';
import type { IndexStore } from './index-store.ts';
import type { SourceReport } from './source-report.ts';

/** What a batch holds before it is written. */
const batchFiles = 300;
const batchBytes = 4_000_000;
/** What is read ahead of what is written: enough for two threads while one batch is written. */
const aheadFiles = 96;
const aheadBytes = 6_000_000;
const reportEveryMs = 2_000;
/** Where not every folder could be watched, all is looked at this often (ms). */
const lookAgainMs = 60_000;
/** A file that was being written is looked at again after this (ms). */
const changingMs = 2_000;

interface SourceIndexerOptions {
  readonly path: string;
  readonly store: () => IndexStore;
  readonly cutter: CuttingPool;
  /** Whether a path belongs to a folder below this one that is indexed for itself. */
  readonly isOthers: (path: string) => boolean;
  /** Told when there is something to do; `work` then does it. */
  readonly onWork: () => void;
  readonly report: (report: SourceReport) => void;
}

/** Keeps one folder indexed. */
export class SourceIndexer {
  readonly path: string;
  readonly #options: SourceIndexerOptions;
  readonly #watch: FolderWatch;
  #pending: Set<string> | 'all' = 'all';
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #missing = false;
  #batch: CutFile[] = [];
  #batchBytes = 0;
  #changed = 0;
  #reportedAt = 0;
  #startedAt = 0;

  constructor(options: SourceIndexerOptions) {
    this.path = options.path;
    this.#options = options;
    this.#watch = new FolderWatch(options.path, (paths) => this.lookAgain(paths));
  }

  /** Whether something is to be looked at. */
  get hasWork(): boolean {
    return !this.#closed && (this.#pending === 'all' || this.#pending.size > 0);
  }

  /** Has paths looked at, or all of it. */
  lookAgain(paths: readonly string[] | null): void {
    if (paths === null) this.#pending = 'all';
    else if (this.#pending !== 'all') for (const path of paths) this.#pending.add(path);
    this.#options.onWork();
  }

  /** Looks at what has changed and writes it to the index. Throws when the index cannot be written. */
  async work(): Promise<void> {
    const pending = this.#pending;
    this.#pending = new Set();
    this.#changed = 0;
    this.#startedAt = performance.now();
    clearTimeout(this.#timer);
    try {
      if (pending === 'all') await this.#lookAtAll();
      else await this.#lookAtSome([...pending]);
    } catch (error) {
      this.#pending = 'all';
      this.#batch = [];
      this.#batchBytes = 0;
      throw error;
    }
    if ((this.#missing || this.#watch.coverage !== 'yes') && !this.#closed) {
      this.#timer = setTimeout(() => this.lookAgain(null), lookAgainMs).unref();
    }
    if (this.#missing) this.fail('there is no such file or folder, or the RAG sage may not read it');
    else this.#tell(this.hasWork ? 'indexing' : 'ready', null);
  }

  /** Tells that it cannot go on. */
  fail(reason: string): void {
    this.#tell('failed', reason);
  }

  /** Stops watching. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watch.close();
  }

  async #lookAtAll(): Promise<void> {
    this.#tell('indexing', null);
    this.#missing = false;
    const { path } = this;
    const stats = seenAt(path);
    if (stats?.isFile()) {
      this.#watch.add(dirname(path));
      return this.#take([lookAt(path)], new Map());
    }
    const known = this.#options.store().below(path);
    if (stats === undefined) {
      this.#forget([...known.keys()]);
      this.#missing = true;
      return;
    }
    const files = walk(path, { onFolder: (folder) => this.#watch.add(folder) });
    await this.#take(files, known);
    this.#forget([...known.keys()]);
  }

  /** Takes files in, those that have changed; what `known` still holds afterwards was not among them. */
  async #take(
    files: Iterable<WalkedFile>,
    known: Map<string, { readonly mark: string; readonly hash: string }>,
  ): Promise<void> {
    const flying = new Set<Promise<void>>();
    let looked = 0;
    let flyingBytes = 0;
    for (const file of files) {
      if (this.#closed) break;
      const before = known.get(file.path) ?? this.#options.store().known(file.path);
      known.delete(file.path);
      looked += 1;
      // The thread hears of nothing while it walks.
      if (looked % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (before !== undefined && before.mark !== '' && before.mark === file.mark) continue;
      if (file.reason !== undefined) {
        const { path, mark, reason, detail = '' } = file;
        this.#land({ path, mark, prepared: null, hash: '', bytes: 0, reason, detail, notes: [] });
        continue;
      }
      const cutting = this.#options.cutter
        .cut({
          path: file.path,
          shown: this.#shown(file.path),
          size: file.size,
          knownHash: before?.hash || undefined,
        })
        .then((cut) => {
          flying.delete(cutting);
          flyingBytes -= file.size;
          this.#land({ ...cut, mark: cut.mark || file.mark });
        });
      flying.add(cutting);
      flyingBytes += file.size;
      while (flying.size >= aheadFiles || (flyingBytes >= aheadBytes && flying.size > 1)) {
        await Promise.race(flying);
        this.#flushIfFull();
      }
    }
    while (flying.size > 0) {
      await Promise.race(flying);
      this.#flushIfFull();
    }
    this.#flush();
  }

  async #lookAtSome(paths: readonly string[]): Promise<void> {
    const gone: string[] = [];
    const files: WalkedFile[] = [];
    const folders: string[] = [];
    for (const path of paths) {
      const stats = seenAt(path);
      // It may have been a folder.
      if (stats === undefined) gone.push(path);
      else if (path !== this.path && !this.#isInside(path)) continue;
      else if (rulesIn(dirname(path)).ignores(path, stats.isDirectory())) continue;
      else if (stats.isDirectory()) folders.push(path);
      else files.push(lookAt(path));
    }
    await this.#take(files, new Map());
    for (const folder of folders) {
      const known = this.#options.store().below(folder);
      await this.#take(walk(folder, { onFolder: (each) => this.#watch.add(each) }), known);
      this.#forget([...known.keys()]);
    }
    for (const path of gone) {
      if (seenAt(path) !== undefined) continue;
      this.#watch.forget(path);
      this.#forget([...this.#options.store().below(path).keys()]);
    }
  }

  #forget(paths: readonly string[]): void {
    const own = paths.filter((path) => !this.#options.isOthers(path));
    this.#changed += own.length;
    this.#options.store().forget(own);
  }

  #isInside(path: string): boolean {
    return path.startsWith(this.path === '/' ? '/' : `${this.path}/`);
  }

  #shown(path: string): string {
    return path === this.path ? path.slice(dirname(path).length + 1) : path.slice(this.path.length + 1);
  }

  #land(cut: CutFile): void {
    this.#batch.push(cut);
    this.#batchBytes += cut.bytes;
    this.#changed += 1;
    if (cut.reason !== 'changing') return;
    setTimeout(() => this.lookAgain([cut.path]), changingMs).unref();
  }

  #flushIfFull(): void {
    if (this.#batch.length >= batchFiles || this.#batchBytes >= batchBytes) this.#flush();
    if (performance.now() - this.#reportedAt > reportEveryMs) this.#tell('indexing', null);
  }

  #flush(): void {
    const batch = this.#batch;
    if (batch.length === 0 || this.#closed) return;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#options.store().put(batch);
  }

  /** How far it is; where indexing failed, the index may be what failed, and is not asked. */
  #progress(state: SourceReport['state']): Pick<SourceReport, 'files' | 'passages' | 'bytes'> {
    if (state === 'indexing') return this.#options.store().progress(this.path);
    return { files: 0, passages: 0, bytes: 0 };
  }

  #tell(state: SourceReport['state'], reason: string | null): void {
    this.#reportedAt = performance.now();
    const { path } = this;
    const sums =
      state === 'ready'
        ? this.#options.store().sums(path)
        : { ...this.#progress(state), skipped: {}, problems: [], problemCount: 0 };
    const tookMs = Math.round(performance.now() - this.#startedAt);
    this.#options.report({
      ...{ path, state, reason, ...sums, changed: this.#changed, tookMs, at: Date.now() },
      watching: this.#watch.coverage,
    });
  }
}
