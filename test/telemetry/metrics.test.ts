import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { createMetrics } from '../../src/telemetry/metrics.ts';

test('metrics appear in the text format with the name of the process', async () => {
  const metrics = createMetrics({ name: 'task_sage', role: 'sage' });
  metrics.messageHandled('sage.task.create', 'acted');
  metrics.messageHandled('sage.task.create', 'acted');
  metrics.messageHandled('unreadable', 'dead');
  metrics.committed('ok', 0.003, 2);
  metrics.committed('unknown', 1, 1);
  metrics.deadLetter('malformed');
  metrics.readToCommit(0.004);
  metrics.setRedisConnected(true);
  metrics.setReady(false);

  const { type, text } = await metrics.text();
  const who = 'elder="task_sage",role="sage"';
  for (const line of [
    `elders_messages_handled_total{action="sage.task.create",outcome="acted",${who}} 2`,
    `elders_messages_handled_total{action="unreadable",outcome="dead",${who}} 1`,
    `elders_commits_total{outcome="ok",${who}} 1`,
    `elders_commits_total{outcome="unknown",${who}} 1`,
    `elders_commit_duration_seconds_bucket{le="0.005",${who}} 1`,
    `elders_commit_duration_seconds_count{${who}} 2`,
    `elders_commit_messages_sum{${who}} 3`,
    `elders_dead_letters_total{code="malformed",${who}} 1`,
    `elders_read_to_commit_seconds_count{${who}} 1`,
    `elders_redis_connected{${who}} 1`,
    `elders_ready{${who}} 0`,
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
  assert.match(text, /^process_resident_memory_bytes\{/m);
  assert.match(text, /^process_cpu_seconds_total\{/m);
  assert.match(text, /^elders_event_loop_utilization_ratio\{[^}]*\} [01](\.\d+)?(e-\d+)?$/m);
  assert.doesNotMatch(text, /nodejs_eventloop_lag/);
  assert.match(type, /^text\/plain; version=0\.0\.4/);
});

test('two processes in one test do not share metrics', async () => {
  const first = createMetrics({ name: 'servant_1', role: 'servant' });
  const second = createMetrics({ name: 'servant_2', role: 'servant' });
  first.deadLetter('expired');
  assert.ok(!(await second.text()).text.includes('elders_dead_letters_total{code'));
});

test('metrics do not keep a process alive', () => {
  const url = new URL('../../src/telemetry/metrics.ts', import.meta.url).href;
  const program = `import { createMetrics } from ${JSON.stringify(url)}; await createMetrics({ name: 'x', role: 'sage' }).text();`;
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { timeout: 60_000 });
  assert.equal(status, 0);
});
