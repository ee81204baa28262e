import type { IncidentRecord } from '../../protocol/actions.ts';
import { oneLine } from '../text/printable.ts';
import { timeText } from '../text/times.ts';

/** An incident as a row below `text.ask.incidentHead`. */
export function incidentRow({ id, severity, count, lastAt, source, title }: IncidentRecord): string[] {
  return [id, severity, String(count), timeText(lastAt), source, oneLine(title)];
}
