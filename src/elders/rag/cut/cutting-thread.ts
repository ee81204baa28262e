import type { Worker } from 'node:worker_threads';
import { startThread } from '../threads/start-thread.ts';
import type { CutFile, FileToCut } from './cut-file.ts';

interface Waiting {
  readonly file: FileToCut;
  readonly resolve: (cut: CutFile) => void;
  crashes: number;
}

/** Files that the thread is given ahead, so that it need not wait for the one that writes. */
const mostFlying = 32;
/** A file costs this much besides its bytes, for the load (bytes). */
const fileLoad = 4_000;
/** No file takes this long; a thread that does hangs (ms). */
const longestMs = 120_000;
/** What a strange file may make the thread use; beyond it the thread dies and not the process (MB). */
const usualHeapMegabytes = 256;

/** Has files cut in a thread; a file that makes the thread die twice, the second time alone, is given up. */
export class CuttingThread {
  readonly #maxFileBytes: number;
  readonly #heapMegabytes: number;
  readonly #queue: Waiting[] = [];
  readonly #flying = new Map<string, Waiting>();
  #worker: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #load = 0;

  constructor(maxFileBytes: number, heapMegabytes = usualHeapMegabytes) {
    this.#maxFileBytes = maxFileBytes;
    this.#heapMegabytes = heapMegabytes;
  }

  /** Reads and cuts a file; never rejects. */
  cut(file: FileToCut): Promise<CutFile> {
    const { promise, resolve } = Promise.withResolvers<CutFile>();
    const load = (file.size ?? 0) + fileLoad;
    this.#load += load;
    const settle = (cut: CutFile) => {
      this.#load -= load;
      resolve(cut);
    };
    this.#queue.push({ file, resolve: settle, crashes: 0 });
    this.#feed();
    return promise;
  }

  /** How much it has still to do, about in bytes. */
  get load(): number {
    return this.#load;
  }

  /** Ends the thread; what it had under way never ends. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#worker?.terminate();
  }

  #feed(): void {
    if (this.#closed) return;
    for (;;) {
      const next = this.#queue[0];
      if (next === undefined || this.#flying.size >= mostFlying) return;
      // After a crash the files of that moment go one by one, to tell which of them it was.
      const alone = next.crashes > 0 || [...this.#flying.values()].some(({ crashes }) => crashes > 0);
      if (alone && this.#flying.size > 0) return;
      this.#queue.shift();
      this.#flying.set(next.file.path, next);
      if (this.#flying.size === 1) this.#watch();
      this.#thread().postMessage(next.file);
    }
  }

  #thread(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = startThread('cutter', {
      workerData: { maxFileBytes: this.#maxFileBytes },
      resourceLimits: { maxOldGenerationSizeMb: this.#heapMegabytes, maxYoungGenerationSizeMb: 24 },
    });
    this.#worker = worker;
    worker.on('message', (cut: CutFile) => this.#landed(cut));
    // Told by its exit.
    worker.on('error', () => undefined);
    worker.on('exit', () => this.#died(worker));
    return worker;
  }

  #watch(): void {
    clearTimeout(this.#timer);
    if (this.#flying.size === 0) return;
    this.#timer = setTimeout(() => void this.#worker?.terminate(), longestMs);
  }

  #landed(cut: CutFile): void {
    const waiting = this.#flying.get(cut.path);
    this.#flying.delete(cut.path);
    this.#watch();
    waiting?.resolve(cut);
    this.#feed();
  }

  #died(worker: Worker): void {
    if (this.#worker !== worker || this.#closed) return;
    this.#worker = undefined;
    const lost = [...this.#flying.values()];
    this.#flying.clear();
    this.#watch();
    for (const waiting of lost.toReversed()) {
      waiting.crashes += 1;
      if (waiting.crashes < 2) {
        this.#queue.unshift(waiting);
        continue;
      }
      const { path } = waiting.file;
      const detail = 'the thread that read it died of it';
      waiting.resolve({
        path,
        mark: '',
        prepared: null,
        hash: '',
        bytes: 0,
        reason: 'failed',
        detail,
        notes: [],
      });
    }
    this.#feed();
  }
}
