import { closeSync, openSync, readSync, rmSync, watch } from 'node:fs';

/** A file in which bubblewrap tells the pid of the process that it made. */
export interface ProcessReport {
  readonly fd: number;
  /** Resolves to the pid once it is there. */
  readonly pid: Promise<number>;
  /** Removes the file; the pid may never come then. */
  close(): void;
}

/**
 * Opens a report at `path`. A file and not a pipe: a pipe breaks when the manager dies, and bubblewrap with it,
 * just after it made the process and before that can end by itself.
 */
export function openProcessReport(path: string): ProcessReport {
  const fd = openSync(path, 'w+', 0o600);
  const { promise, resolve } = Promise.withResolvers<number>();
  const read = () => {
    const text = Buffer.alloc(1_000);
    const length = readSync(fd, text, 0, text.length, 0);
    const pid = /"child-pid":\s*(\d+)/.exec(text.toString('latin1', 0, length))?.[1];
    if (pid !== undefined) resolve(Number(pid));
  };
  const watcher = watch(path, read);
  const close = () => {
    watcher.close();
    closeSync(fd);
    rmSync(path, { force: true });
  };
  return { fd, pid: promise, close };
}
