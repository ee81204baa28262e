import { type Dirent, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileBackwards, type LogLine, parseLogLine } from './log-lines.ts';
import { isPlainFile } from './open-log.ts';

/** The log or the other output of one process, with what was rotated away from it. */
export interface LogSeries {
  readonly name: string;
  /** Path of the file that is written now. */
  readonly path: string;
}

const current = /^(.+)\.(?:log|out)$/;

/** Lists the logs in a folder; an empty `names` means all. */
export function findLogs(folder: string, names: readonly string[]): LogSeries[] {
  const paths = [folder, ...findLogFolders(folder)].flatMap((within) =>
    listFolder(within).map((entry) => join(within, entry.name)),
  );
  return paths.sort().flatMap((path) => {
    const name = current.exec(basename(path))?.[1];
    const wanted = name !== undefined && (names.length === 0 || names.includes(name));
    // In the folder of a process only what bears its name: it must not be able to speak in the name of another.
    const within = dirname(path);
    const own = within === folder || basename(within) === name;
    return wanted && own && isPlainFile(path) ? [{ name, path }] : [];
  });
}

/** Lists the folders in the folder of the logs: each process writes to one of its own. */
export function findLogFolders(folder: string): string[] {
  return listFolder(folder)
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name));
}

function listFolder(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Lists a series' files from the newest: the current one, then `.1`, `.2`, … */
export function rotations(path: string): string[] {
  const files = [path];
  while (isPlainFile(`${path}.${files.length}`)) files.push(`${path}.${files.length}`);
  return files;
}

function lastOf({ name, path }: LogSeries, count: number, wanted: (line: LogLine) => boolean): LogLine[] {
  const found: LogLine[] = [];
  for (const file of rotations(path)) {
    // A line without a time, such as one of a stack trace, is as old as the next line that has one.
    let time = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    for (const text of fileBackwards(file)) {
      const line = parseLogLine(text, name, time);
      time = line.time;
      if (wanted(line) && text !== '') found.push(line);
      if (found.length === count) return found.reverse();
    }
  }
  return found.reverse();
}

/** Gives the last `count` wanted lines of all these logs in order of time. */
export function readLastLines(
  logs: readonly LogSeries[],
  count: number,
  wanted: (line: LogLine) => boolean,
): LogLine[] {
  const all = logs.flatMap((log) => lastOf(log, count, wanted));
  return all.sort((a, b) => a.time - b.time).slice(-count);
}
