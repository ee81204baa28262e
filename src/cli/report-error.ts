import { type ElderError, errorTable } from '../protocol/errors.ts';
import { exitCodes } from '../protocol/exit-codes.ts';
import type { Locale } from './text/locale.ts';
import { manyLines } from './text/printable.ts';
import { paintState } from './text/state-color.ts';

/** Gives the exit code of an error. */
export function exitCodeOf(error: ElderError): number {
  return exitCodes[errorTable[error.code].exit];
}

/** Writes an error for people on standard error: what failed, why, and what to do next. */
export function errorText(error: ElderError, locale: Locale): string {
  const spec = errorTable[error.code];
  const [label, next] = locale === 'ja' ? ['エラー', '対処'] : ['error', 'next'];
  const reason = manyLines(error.reason)
    .split('\n')
    .map((line) => `  ${line}\n`)
    .join('');
  return `${paintState('error', label, process.stderr)} ${error.code}: ${spec[locale]}\n${reason}${next}: ${spec.next[locale]}\n`;
}

/** Builds the one document that `--json` prints for an error. */
export function errorDocument(error: ElderError, locale: Locale) {
  const spec = errorTable[error.code];
  const { code, reason, detail } = error;
  const document = { code, reason, message: spec[locale], next: spec.next[locale] };
  return { error: detail === undefined ? document : { ...document, detail } };
}
