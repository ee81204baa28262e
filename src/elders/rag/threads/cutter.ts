import { parentPort, workerData } from 'node:worker_threads';
import { FileCutter, type FileToCut } from '../cut/cut-file.ts';
import { yieldToOthers } from './thread-priority.ts';

// A thread of its own: what a strange file does to a parser hits nothing else, and two cores are used.
yieldToOthers();
const { maxFileBytes } = workerData as { maxFileBytes: number };
const cutter = new FileCutter(maxFileBytes);
// One after the other, so that one large file stands in memory at a time.
let last: Promise<void> = Promise.resolve();
parentPort?.on('message', (file: FileToCut) => {
  last = last.then(async () => {
    parentPort?.postMessage(await cutter.cut(file));
  });
});
