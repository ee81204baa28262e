import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recoveriesOf } from '../../../src/elders/claude/recovery.ts';
import { knowledgeDraft } from '../../../src/protocol/actions/knowledge.ts';
import { directive, task } from '../../support/directive.ts';

const failed = [{ taskId: 'unit', reason: 'exit code 1', exitCode: 1, attempts: 2 }];
const before = directive([task('unit', { run: 'npm test' }), task('types')]);
const earlier = { directiveId: 'd1', directive: before, failed, endedAt: 1 };
const passed = {
  directiveId: 'd2',
  outcome: 'completed' as const,
  summary: { succeeded: 2 },
  failures: [],
  retried: [],
  durationMs: 1_000,
};

test('a task that failed twice and passed is written down with what differs, and no cause is claimed', () => {
  const now = directive([task('unit', { run: 'npm ci && npm test', env: { TOKEN: 'hush' } }), task('types')]);
  const [draft, ...others] = recoveriesOf(now, passed, [earlier]);
  assert.deepEqual(others, []);
  assert.equal(knowledgeDraft.safeParse(draft).success, true);
  assert.deepEqual(
    [draft?.key, draft?.title, draft?.derived],
    ['recovery/d2/unit', 'unit: failed twice, then passed with a change', true],
  );
  assert.deepEqual(draft?.links?.tasks, ['d1/unit', 'd2/unit']);
  for (const part of ['failed twice in directive d1', 'npm ci && npm test', 'TOKEN', 'is not proved']) {
    assert.equal(draft?.body.includes(part), true, part);
  }
  assert.equal(draft?.body.includes('hush'), false);
});

test('where nothing differs it says so', () => {
  const [draft] = recoveriesOf(before, passed, [earlier]);
  assert.equal(draft?.title, 'unit: failed twice, then passed unchanged');
  assert.match(draft?.body ?? '', /Nothing: the task is the same\./);
});

test('nothing is written of what the records do not show', () => {
  const since = { ...earlier, directiveId: 'd1b', failed: [], endedAt: 2 };
  assert.deepEqual(recoveriesOf(before, passed, [earlier, since]), []);
  assert.deepEqual(recoveriesOf(before, { ...passed, summary: { succeeded: 1, skipped: 1 } }, [earlier]), []);
  assert.deepEqual(recoveriesOf(before, { ...passed, outcome: 'failed' }, [earlier]), []);
  assert.deepEqual(recoveriesOf({ ...before, workspace: '/other' }, passed, [earlier]), []);
});
