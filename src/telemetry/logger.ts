import { type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
import { LogFile, type LogFileOptions } from './log-file.ts';
import { redact } from './redaction.ts';

/** Levels that the configuration knows, from most to least talkative; `fatal` is always written. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Writes JSON lines: `{level, time, name, …fields, msg}`; a field by one of these names becomes `name_` and so on. */
export interface Logger {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
  /** Writes the line and returns once it is on the disk itself: the process may end right after. */
  fatal(fields: object, text: string): void;
  /** Gives a logger that adds these fields to every line and writes to the same file. */
  child(fields: object): Logger;
  /** Returns once every line so far is on the disk itself. Lines are in the file without it. */
  flush(): void;
  /** Closes the file, for every child too; nothing may be logged afterwards. */
  close(): void;
}

/** Opens the log of a process. Throws the error of the file system when the file cannot be opened. */
export function createLogger(
  options: LogFileOptions & { readonly name: string; readonly level: LogLevel },
): Logger {
  const file = new LogFile(options);
  const log = writeTo(options, (line) => file.write(line));
  return wrap(log, file);
}

/** Goes once through what a logger does, so that the code is loaded and compiled when it is needed; writes nothing anywhere. */
export function rehearseLogger(): void {
  writeTo({ name: 'rehearsal', level: 'info' }, () => {}).info({ reason: 'rehearsal' }, 'rehearsed');
}

function writeTo(
  { name, level }: { name: string; level: LogLevel },
  write: (line: string) => void,
): PinoLogger {
  return pino(
    {
      level,
      base: { name },
      timestamp: stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: publicFields,
      },
    },
    { write: (line) => write(escapeControls(line)) },
  );
}

/** A logger that writes nothing, for tests. */
export const nullLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  fatal() {},
  child: () => nullLogger,
  flush() {},
  close() {},
};

/** What the logger itself says in each line; a field of the caller's by such a name would replace it for most readers. */
const reserved = new Set(['time', 'level', 'name', 'msg']);

function publicFields(fields: object): Record<string, unknown> {
  const entries = Object.entries(redact(fields) as Record<string, unknown>);
  return Object.fromEntries(entries.map(([key, value]) => [reserved.has(key) ? `${key}_` : key, value]));
}

/** JSON leaves these as they are, but some readers break lines at them and some terminals obey them. */
const looseControls = /[\u007f-\u009f\u2028\u2029]/g;

function escapeControls(line: string): string {
  return line.replace(looseControls, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function wrap(log: PinoLogger, file: LogFile): Logger {
  return {
    debug: (fields, text) => log.debug(fields, text),
    info: (fields, text) => log.info(fields, text),
    warn: (fields, text) => log.warn(fields, text),
    error: (fields, text) => log.error(fields, text),
    fatal: (fields, text) => file.durably(() => log.fatal(fields, text)),
    child: (fields) => wrap(log.child(publicFields(fields)), file),
    flush: () => file.flushSync(),
    close: () => file.close(),
  };
}
