import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lessonOf } from '../../../src/elders/claude/lesson.ts';
import { knowledgeDraft } from '../../../src/protocol/actions/knowledge.ts';
import { directive, task } from '../../support/directive.ts';

const finished = {
  directiveId: 'd',
  outcome: 'failed' as const,
  summary: { failed: 1, succeeded: 2 },
  failures: [{ taskId: 'unit', reason: 'exit code 1', exitCode: 1, tail: `${'x'.repeat(5_000)}the end` }],
  retried: [],
  durationMs: 61_500,
};

test('it holds the goal, the outcome, the commands and the end of what failed', () => {
  const spec = directive([task('types', { run: 'npx tsc\nsecond line' }), task('unit', { run: 'npm test' })]);
  const { key, title, body, tags, directiveId } = lessonOf(spec, finished);
  assert.deepEqual([key, title, directiveId], ['directive/d', 'Release check: failed', 'd']);
  assert.deepEqual(tags, ['directive', 'failed', 'derived']);
  for (const part of [
    'Goal: it packs',
    'Workspace: /work',
    'Outcome: failed after 61.5 s; tasks: 1 failed, 2 succeeded.',
    '- types: `npx tsc`',
    '## Failed: unit (exit code 1)',
    'the end\n```',
  ]) {
    assert.equal(body.includes(part), true, part);
  }
  assert.equal(body.includes('second line'), false);
  assert.equal(body.length < 3_000, true);
});

test('it tells which attempts a task needed', () => {
  const attempt = {
    servant: 's',
    exitCode: null,
    signal: null,
    startedAt: null,
    finishedAt: null,
    reason: null,
  };
  const attempts = [
    { ...attempt, attempt: 1, outcome: 'lost' as const },
    { ...attempt, attempt: 2, outcome: 'succeeded' as const },
  ];
  const retried = [{ taskId: 'unit', attempts }];
  const { body } = lessonOf(directive([task('unit')]), {
    ...finished,
    outcome: 'completed',
    failures: [],
    retried,
  });
  assert.match(body, /## Needed more than one attempt: unit\n1\. lost, 2\. succeeded/);
});

test('of the largest directive it still fits a piece of knowledge', () => {
  const tasks = Array.from({ length: 5_000 }, (_, index) => task(`t${index}`, { run: 'y'.repeat(10_000) }));
  const failures = tasks
    .slice(0, 20)
    .map(({ id }) => ({ taskId: id, reason: 'r', exitCode: 1, tail: 'z'.repeat(4_000) }));
  const lesson = lessonOf(directive(tasks, { title: 'T'.repeat(200) }), { ...finished, failures });
  assert.equal(knowledgeDraft.safeParse(lesson).success, true);
});
