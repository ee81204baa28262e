import { closeSync, fstatSync, readSync } from 'node:fs';
import { parseBoundedJson } from '../../protocol/bounded-json.ts';
import { maxLineBytes, openPlainFile } from './open-log.ts';

/** Levels of a log line, from the least. */
export const logLevels = ['debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LineLevel = (typeof logLevels)[number];

/** One line of a log. `time` is ms since the epoch. */
export interface LogLine {
  readonly time: number;
  readonly name: string;
  readonly level: LineLevel;
  readonly text: string;
  /** The line as it was written, where it was JSON. */
  readonly fields: Readonly<Record<string, unknown>> | null;
}

const blockBytes = 65_536;
/** Objects inside one another in a line; a deeper one is shown as text. */
const maxDepth = 32;
/** The last time that a date can hold (ms since the epoch). */
const lastTime = 8.64e15;

/** Yields the lines of an open file from its byte `end` backwards, so that the tail of a long file is cheap. */
export function* linesBackwards(fd: number, end: number): Generator<string> {
  let rest = Buffer.alloc(0);
  let newest = true;
  for (let position = end; position > 0; ) {
    const length = Math.min(blockBytes, position);
    position -= length;
    const block = Buffer.alloc(length);
    readSync(fd, block, 0, length, position);
    let chunk = Buffer.concat([block, rest]);
    for (let at = chunk.lastIndexOf(10); at >= 0; at = chunk.lastIndexOf(10)) {
      const line = chunk.subarray(at + 1);
      chunk = chunk.subarray(0, at);
      // What stands behind the last newline is either nothing or a line that is still being written.
      if (!newest) yield line.toString('utf8');
      newest = false;
    }
    rest = chunk;
    if (rest.length > maxLineBytes) {
      yield rest.toString('utf8');
      rest = Buffer.alloc(0);
    }
  }
  if (rest.length > 0 && !newest) yield rest.toString('utf8');
}

/** Yields the lines of a file from its end; nothing if there is no such file. */
export function* fileBackwards(path: string): Generator<string> {
  let fd: number;
  try {
    fd = openPlainFile(path);
  } catch {
    return;
  }
  try {
    yield* linesBackwards(fd, fstatSync(fd).size);
  } finally {
    closeSync(fd);
  }
}

// redis-server writes `pid:role day time mark text`; the mark tells the level.
const redisLine = /^\d+:[A-Z] (\d{1,2} \w{3} \d{4} \d{2}:\d{2}:\d{2}\.\d{3}) ([.\-*#]) (.*)$/;
const redisLevels: Readonly<Record<string, LineLevel>> = {
  '.': 'debug',
  '-': 'debug',
  '*': 'info',
  '#': 'warn',
};

function isLevel(value: unknown): value is LineLevel {
  return logLevels.some((level) => level === value);
}

/** Reads one line of the log or of the other output of the process `name`; `fallbackTime` is for a line without one. */
export function parseLogLine(line: string, name: string, fallbackTime: number): LogLine {
  if (line.startsWith('{')) {
    try {
      const fields = parseBoundedJson(line, maxDepth) as Record<string, unknown>;
      const { time, level, msg } = fields;
      const at = typeof time === 'string' ? Date.parse(time) : Number(time);
      return {
        time: Math.abs(at) <= lastTime ? at : fallbackTime,
        // Not what the line says: a process must not be able to speak in the name of another.
        name,
        level: isLevel(level) ? level : 'info',
        text: typeof msg === 'string' ? msg : '',
        fields: { ...fields, name },
      };
    } catch {
      // Cut off by a crash, or nothing of ours: shown as it stands.
    }
  }
  const [, time, mark, text] = redisLine.exec(line) ?? [];
  if (time === undefined || mark === undefined || text === undefined) {
    return { time: fallbackTime, name, level: 'info', text: line, fields: null };
  }
  return { time: Date.parse(time), name, level: redisLevels[mark] ?? 'info', text, fields: null };
}
