import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Report } from '../../../src/cli/report/collect-report.ts';
import { htmlReport, markdownReport } from '../../../src/cli/report/write-report.ts';
import { en } from '../../../src/cli/text/en.ts';
import { ja } from '../../../src/cli/text/ja.ts';
import { directiveView, taskRecord } from '../../support/task-record.ts';

const hostile = '</pre><script>alert(1)</script>"\' \x1b[2J';
const attempt = { servant: 'servant_1', exitCode: 1, signal: null, reason: null } as const;
const report: Report = {
  view: directiveView(
    [
      taskRecord('build', {
        state: 'failed',
        attempts: 2,
        exitCode: 1,
        servant: 'servant_1',
        startedAt: 30_000,
        finishedAt: 60_000,
        reason: hostile,
        output: { path: '/x', bytes: 3, sha256: '', tail: `one\n${hostile}\n\`\`\`\nlast` },
        tests: {
          passed: 3,
          failed: 1,
          skipped: 0,
          failures: [{ name: `adds | ${hostile}`, message: '1 != 2' }],
          problems: [],
        },
        history: [
          { ...attempt, attempt: 1, outcome: 'failed', startedAt: 2_000, finishedAt: 20_000 },
          { ...attempt, attempt: 2, outcome: 'failed', startedAt: 30_000, finishedAt: 60_000 },
        ],
      }),
      taskRecord('after', { state: 'skipped' }),
    ],
    { title: `R ${hostile}`, state: 'failed' },
  ),
  incidents: [
    {
      id: 'task_sage/d1/build/failed',
      fingerprint: 'f',
      title: hostile,
      severity: 'medium',
      detail: '',
      directiveId: 'd1',
      source: 'task_sage',
      count: 1,
      firstAt: 60_000,
      lastAt: 60_000,
    },
  ],
  changes: { commits: [`abc1234 2026-11-22 somebody: ${hostile}`], uncommitted: ' a.ts | 2 +-' },
  writtenAt: 70_000,
};

test('as HTML nothing that a task wrote becomes markup, and every part is there', () => {
  const html = htmlReport(report, en, 'en');
  assert.ok(!html.includes('<script>'));
  assert.ok(!html.includes('\x1b'));
  assert.equal(html.match(/<rect /g)?.length, 2, 'a bar for each attempt');
  for (const part of [
    'build',
    'adds |',
    '1 != 2',
    'build #1',
    'task_sage/d1/build/failed',
    'abc1234',
    'a.ts | 2 +-',
  ]) {
    assert.ok(html.includes(part), part);
  }
  assert.match(html, /Content-Security-Policy/);
});

test('as Markdown tables and fences hold whatever they are given', () => {
  const markdown = markdownReport(report, en);
  assert.ok(!markdown.includes('<script>'.replace('<', '\n<')));
  assert.match(markdown, /adds \\\| /);
  assert.match(markdown, /````\none\n/, 'a fence longer than the one within');
  assert.match(markdown, /- state: failed\n/);
  const image = /base64,([A-Za-z0-9+/=]+)/.exec(markdown)?.[1] ?? '';
  assert.match(Buffer.from(image, 'base64').toString(), /^<svg /);
});

test('in Japanese', () => {
  assert.match(htmlReport(report, ja, 'ja'), /<html lang="ja">[\s\S]*時系列[\s\S]*失敗: build/);
});

test('a directive that did nothing is told as that', () => {
  const empty = { ...report, view: directiveView([taskRecord('a')]), incidents: [], changes: null };
  const markdown = markdownReport(empty, en);
  assert.ok(!markdown.includes('## Incidents'));
  assert.match(markdown, /1 waiting/);
});
