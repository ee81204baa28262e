import type { Failure } from '../../protocol/local-api.ts';
import { oneLine } from '../text/printable.ts';
import { renderTable } from '../text/table.ts';
import { timeText } from '../text/times.ts';

/** Lays out why tries at a message failed, the first one first. */
export function errorRows(errors: readonly Failure[]): string {
  return renderTable(errors.map(({ at, code, reason }) => [timeText(at), code, oneLine(reason)]));
}
