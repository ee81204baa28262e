import { availableParallelism } from 'node:os';
import type { CutFile, FileToCut } from './cut-file.ts';
import { CuttingThread } from './cutting-thread.ts';

/** More threads than this only wait for the one that writes, and each costs its memory. */
const mostThreads = 2;

/** Has files cut in a few threads, each file by the one that has least to do. */
export class CuttingPool {
  readonly #threads: readonly CuttingThread[];

  constructor(maxFileBytes: number, threads: number = Math.min(mostThreads, availableParallelism())) {
    this.#threads = Array.from({ length: threads }, () => new CuttingThread(maxFileBytes));
  }

  /** Reads and cuts a file; never rejects. */
  cut(file: FileToCut): Promise<CutFile> {
    const [first, ...others] = this.#threads;
    if (first === undefined) throw new RangeError('a pool needs a thread');
    return others.reduce((least, one) => (one.load < least.load ? one : least), first).cut(file);
  }

  /** Ends the threads; what they had under way never ends. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}
