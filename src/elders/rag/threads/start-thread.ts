import { Worker, type WorkerOptions } from 'node:worker_threads';

/** Starts a thread with the program of a file in this folder, by its name without ending. */
export function startThread(name: 'cutter' | 'indexer' | 'searcher', options: WorkerOptions): Worker {
  // In the built package the programs are JavaScript.
  const ending = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  return new Worker(new URL(`./${name}${ending}`, import.meta.url), { ...options, name });
}
