import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProgress } from '../../../src/cli/directive/directive-progress.ts';
import { endText } from '../../../src/cli/directive/directive-text.ts';
import { en } from '../../../src/cli/text/en.ts';
import type { DirectiveView, TaskRecord } from '../../../src/protocol/directive.ts';
import { directiveView, taskRecord as task } from '../../support/task-record.ts';

function view(state: DirectiveView['state'], tasks: TaskRecord[]): DirectiveView {
  return directiveView(tasks, { title: 'a\x1b[2Jb', state, finishedAt: 5_000 });
}

function screen(options: { isTTY: boolean; columns?: number; rows?: number }) {
  let text = '';
  return { ...options, write: (part: string) => (text += part), text: () => text };
}

test('without a terminal each change is one line, and what did not change is not told', () => {
  const output = screen({ isTTY: false });
  const progress = createProgress(output, en);
  progress.update(view('executing', [task('a', {}), task('b', {})]));
  progress.update(
    view('executing', [task('a', { state: 'running', attempts: 1, servant: 'servant_1' }), task('b', {})]),
  );
  progress.update(
    view('executing', [task('a', { state: 'running', attempts: 1, servant: 'servant_1' }), task('b', {})]),
  );
  progress.update(
    view('completed', [task('a', { state: 'succeeded', attempts: 2 }), task('b', { state: 'skipped' })]),
  );
  progress.stop();
  const lines = output
    .text()
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^\d\d:\d\d:\d\d\.\d{3} /, ''));
  assert.deepEqual(lines, [
    'd1 executing',
    '  > a running servant_1',
    'd1 completed',
    '  + a succeeded #2',
    '  - b skipped',
  ]);
});

test('on a terminal the view fits, is erased before it is drawn anew, and leaves nothing', () => {
  const output = screen({ isTTY: true, columns: 20, rows: 8 });
  const progress = createProgress(output, en);
  const tasks = Array.from({ length: 30 }, (_, index) => task(`waiting-${index}`, {}));
  tasks.push(task('first', { state: 'running', attempts: 1, servant: 'servant_1' }));
  progress.update(view('executing', tasks));
  const drawn = output.text().split('\n').slice(0, -1);
  assert.equal(drawn.length, 5);
  assert.ok(
    drawn.every((line) => line.length <= 19),
    'no line wraps',
  );
  assert.match(drawn[1] ?? '', /first running/);
  assert.match(drawn[4] ?? '', /^… and 28 more$/);
  assert.ok(!output.text().includes('\x1b[2J'));
  progress.note('away');
  assert.ok(output.text().includes('\x1b[5A\x1b[0Jaway\n'));
  progress.stop();
  assert.ok(output.text().endsWith('\x1b[5A\x1b[0J'));
});

test('the end shows counts and the last output of what failed', () => {
  const output = { path: '/out/a.1.log', bytes: 3, sha256: 'x', tail: 'one\n\x07two\n' };
  const failed = task('a', { state: 'failed', reason: 'exit code 3', output });
  assert.equal(
    endText(view('failed', [failed, task('b', { state: 'skipped' })]), en, 9_000),
    'Directive d1 failed: 1 failed, 1 skipped in 4.0 s\n\nLast output of a (/out/a.1.log):\n  (exit code 3)\n  | one\n  | ·two\n',
  );
});
