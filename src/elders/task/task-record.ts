import type { TaskRecord } from '../../protocol/directive.ts';
import type { TaskRow } from './rows.ts';

/** All tails of one answer together, so that it stays well below the limit of a message. */
const tailCharacters = 128_000;
const shownRun = 400;
const shownAttempts = 10;

/** Makes the public record of a task, as one of `together` in an answer. */
export function toRecord(row: TaskRow, together: number): TaskRecord {
  const { spec, state, attempts, exitCode, servant, startedAt, finishedAt, reason, output, history } = row;
  const tail = output?.tail.slice(-Math.max(200, Math.floor(tailCharacters / together))) ?? '';
  return {
    id: spec.id,
    run: spec.run.length > shownRun ? `${spec.run.slice(0, shownRun)}…` : spec.run,
    needs: spec.needs,
    priority: spec.priority,
    state,
    attempts,
    exitCode,
    servant,
    startedAt,
    finishedAt,
    reason,
    output: output && { ...output, tail },
    history: history.slice(-shownAttempts),
  };
}
