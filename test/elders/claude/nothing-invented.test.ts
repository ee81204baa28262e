import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lessonOf } from '../../../src/elders/claude/lesson.ts';
import { type EndedDirective, failuresOf, recoveriesOf } from '../../../src/elders/claude/recovery.ts';
import type { KnowledgeDraft, PayloadOf } from '../../../src/protocol/actions.ts';
import type { DirectiveSpec } from '../../../src/protocol/directive.ts';
import { directive, task } from '../../support/directive.ts';

type Finished = PayloadOf<'report.to_elder.graph_finished'>;

/** Mulberry32: the same records in every run. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** All that lessons say of themselves; every other word has to come from the records. */
const own = new Set(
  (
    'goal none given workspace outcome after s tasks failed exit code needed more than one attempt on signal record only the ' +
    'servant differs nothing between attempts each ran same task once twice times in directive and passed what two as they ' +
    'are written variables that differ command was is changed outside of it not because this proved then with a change ' +
    'unchanged recovery derived directives null'
  ).split(' '),
);
const wordsOf = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];

/** Words of a lesson that no record holds. */
function invented({ title, body }: KnowledgeDraft, records: readonly unknown[]): string[] {
  const known = new Set(wordsOf(JSON.stringify(records)));
  const lengths = (value: unknown): number[] =>
    value !== null && typeof value === 'object'
      ? [...(Array.isArray(value) ? [value.length] : []), ...Object.values(value).flatMap(lengths)]
      : [];
  // Counts, and times as they are shown.
  for (const count of lengths(records)) known.add(String(count));
  const times = records.flatMap((record) => {
    const { durationMs, retried } = record as Partial<Finished>;
    const spans = (retried ?? []).flatMap(({ attempts }) =>
      attempts.map(({ startedAt, finishedAt }) => (finishedAt ?? 0) - (startedAt ?? 0)),
    );
    return [durationMs ?? 0, ...spans].map((ms) => (ms / 1_000).toFixed(1));
  });
  for (const time of times) for (const word of wordsOf(time)) known.add(word);
  return wordsOf(`${title}\n${body}`).filter((word) => !known.has(word) && !own.has(word));
}

function records(next: (below: number) => number, id: string): { spec: DirectiveSpec; finished: Finished } {
  const ids = ['unit', 'types', 'pack', 'lint'].slice(0, 1 + next(4));
  const spec = directive(
    ids.map((name) =>
      task(name, { run: `run${next(3)} ${name}`, env: next(2) ? { FLAG: `v${next(2)}` } : {} }),
    ),
    { workspace: `/w${next(2)}`, goal: next(3) ? `reach ${id}` : '' },
  );
  const failed = ids.filter(() => next(4) === 0);
  const retried = ids
    .filter(() => next(3) === 0)
    .map((taskId) => ({
      taskId,
      attempts: Array.from({ length: 2 + next(3) }, (_, at) => ({
        ...{
          attempt: at + 1,
          servant: `servant_${1 + next(3)}`,
          exitCode: next(2) ? 17 : null,
          signal: null,
        },
        ...{ startedAt: next(2) ? 1_000 : null, finishedAt: 1_000 + next(90_000), reason: null },
        outcome: 'failed' as const,
      })),
    }));
  return {
    spec,
    finished: {
      ...{ directiveId: id, outcome: failed.length > 0 ? 'failed' : 'completed', durationMs: next(100_000) },
      summary: { succeeded: ids.length - failed.length, ...(failed.length > 0 && { failed: failed.length }) },
      failures: failed.map((taskId) => ({
        taskId,
        reason: 'it broke',
        exitCode: 17,
        tail: `output of ${taskId}`,
      })),
      retried,
    },
  };
}

test('every word of what is derived stands in the records, and only what recovered is said to have', () => {
  const next = chance(7);
  const ended: EndedDirective[] = [];
  let recoveries = 0;
  for (let round = 0; round < 150; round += 1) {
    const { spec, finished } = records(next, `d${round}`);
    const all = [spec, finished, ...ended, ...ended.map(({ directiveId }) => directiveId)];
    assert.deepEqual(invented(lessonOf(spec, finished), [spec, finished]), []);
    for (const draft of recoveriesOf(spec, finished, ended)) {
      recoveries += 1;
      assert.deepEqual(invented(draft, all), []);
      const id = draft.key.split('/').at(-1);
      // The newest of that workspace which had the task at all.
      const last = ended.findLast(
        (each) =>
          each.directive.workspace === spec.workspace && each.directive.tasks.some((one) => one.id === id),
      );
      assert.ok(last?.failed.some(({ taskId }) => taskId === id) && finished.failures.length === 0);
      assert.deepEqual(
        [draft.derived, draft.links?.directives],
        [true, [last?.directiveId, finished.directiveId]],
      );
    }
    const { directiveId } = finished;
    ended.push({ directiveId, directive: spec, failed: failuresOf(finished), endedAt: round });
  }
  assert.ok(recoveries > 10, String(recoveries));
});

test('a lesson that claims more is found out', () => {
  const { spec, finished } = records(chance(3), 'd');
  const lesson = lessonOf(spec, finished);
  const claimed = { ...lesson, body: `${lesson.body}\nIt failed because of the cache, 42 times.` };
  assert.deepEqual(invented(claimed, [spec, finished]), ['cache', '42']);
});
