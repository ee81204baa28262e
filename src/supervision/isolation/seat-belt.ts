import type { ElderPlaces } from './elder-places.ts';
import type { ElderProgram } from './elder-program.ts';

/** What the process metrics and the check of a pid read; of other processes nothing. */
const kernelFiles = ['/proc/self', '/proc/thread-self', '/proc/sys/kernel/random/boot_id'];

/**
 * Gives the options of Node that hold an elder to what its role needs: files, child processes, worker
 * threads, no addons, no WASI, no debugger. It is a seat belt against mistakes, not a boundary: native code
 * within the process (`node:sqlite` among it) and symbolic links leave it.
 */
export function seatBelt(places: ElderPlaces, program: ElderProgram): string[] {
  const { files } = program;
  if (files === undefined) return [];
  const everything = places.startsPrograms;
  const written = [...places.personal, ...places.shared, files.cache];
  const read = [...files.program, ...kernelFiles, ...places.reads, ...written];
  return [
    '--permission',
    // No debugger either by a signal, which any process of the same user may send.
    '--disable-sigusr1',
    // What these warn of is said in SECURITY.md.
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=SecurityWarning',
    '--allow-net',
    ...(everything ? ['--allow-child-process'] : []),
    ...(places.startsThreads ? ['--allow-worker'] : []),
    ...(everything ? ['*'] : read).map((path) => `--allow-fs-read=${path}`),
    ...(everything ? ['*'] : written).map((path) => `--allow-fs-write=${path}`),
  ];
}
