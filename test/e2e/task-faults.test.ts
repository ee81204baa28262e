import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import type { ReplyOf } from '../../src/protocol/actions.ts';
import type { DirectiveView } from '../../src/protocol/directive.ts';
import { processesWith } from '../elders/servant/execution/workbench.ts';
import { appears } from '../support/appears.ts';
import { TestTree } from '../support/tree.ts';

let tree: TestTree;
let workspace: string;

before(async () => {
  tree = await TestTree.create({
    config: {
      tasks: { lease: '12s', killGrace: '300ms' },
      supervision: { livenessDeadline: '11s' },
      sandboxLimits: { output: '1MB', temporary: '1MB' },
    },
  });
  workspace = join(tree.folder, 'work');
  await mkdir(workspace, { recursive: true });
  await tree.up();
});
after(() => tree.dispose());

const show = (name: string) => tree.json<ReplyOf<'sage.task.show'>>(['task', 'show', name]);
const statesOf = (view: DirectiveView) => Object.fromEntries(view.tasks.map(({ id, state }) => [id, state]));

/** Resolves with the line of an elder's log that holds a text, once there is one. */
async function logged(elder: string, text: string): Promise<string> {
  const following = tree.start(['logs', elder, '-f', '--json']);
  try {
    for await (const line of createInterface({ input: following.stdout as Readable })) {
      if (line.includes(text)) return line;
    }
    throw new Error(`the log of ${elder} ended`);
  } finally {
    following.kill();
  }
}

/** A shell command that runs as a process with this word as its name, which no other has. */
function named() {
  const mark = `mark-${randomUUID()}`;
  return { mark, sleep: `exec -a ${mark} sleep 600` };
}

test('a process of a task that somebody kills: the signal is recorded, and the task has failed', async () => {
  const { mark, sleep } = named();
  const run = `echo up > killed-up; ${sleep}`;
  const id = await tree.submit({ directive: 'Killed', workspace, tasks: [{ id: 't', run }] });
  await appears(join(workspace, 'killed-up'));
  // The shells around it have the word within their command line.
  const isIt = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(`${mark}\0`);
  let pids: number[] = [];
  while (pids.length === 0) pids = processesWith(mark).filter(isIt);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await tree.waitFor(id);
  const { history } = await show(`${id}/t`);
  assert.deepEqual(
    history.map(({ outcome, exitCode, signal }) => [outcome, exitCode, signal]),
    [['failed', 137, 'SIGKILL']],
  );
});

test('daemons, a full disk and output without end stay the fault of their task', async () => {
  const { mark, sleep } = named();
  const { view } = await tree.submitAndWait({
    directive: 'Faults',
    workspace,
    tasks: [
      // Session, group and parent of its own, by a double fork.
      {
        id: 'daemon',
        run: `( setsid bash -c '(trap "" TERM HUP; echo up > daemon-up; ${sleep}) & disown' & ); until [ -s daemon-up ]; do sleep 0.01; done`,
      },
      { id: 'full', run: 'head -c 50000000 /dev/zero > /tmp/full' },
      { id: 'loud', run: 'head -c 20000000 /dev/zero; echo; echo the end' },
      { id: 'other', run: 'true', needs: ['daemon', 'full', 'loud'], if: 'always()' },
    ],
  });
  const states = { daemon: 'succeeded', full: 'failed', loud: 'succeeded', other: 'succeeded' };
  assert.deepEqual(statesOf(view), states);
  assert.deepEqual(processesWith(mark), []);
  const full = await show(`${view.id}/full`);
  assert.match(full.output?.tail ?? '', /No space left on device/);
  const loud = await show(`${view.id}/loud`);
  assert.match(loud.reason ?? '', /beyond 1000000 bytes was dropped/);
  assert.ok(loud.output?.tail.endsWith('the end\n'));
  assert.ok(statSync(loud.output?.path ?? '').size < 1_001_000);
});

test('what a task left until its time was over is kept', async () => {
  const junit =
    '<testsuite name="s"><testcase name="a"/><testcase name="b"><failure message="no"/></testcase></testsuite>';
  const run = [
    'echo part=one >> "$ELDERS_OUTPUT"',
    `echo '${junit}' > partial.xml`,
    'echo half > half.txt',
    'echo "as far as here"',
    'sleep 600',
  ].join('; ');
  const task = { id: 't', run, timeout: '6s', reports: 'partial.xml', artifacts: 'half.txt' };
  const { view } = await tree.submitAndWait({ directive: 'Late', workspace, tasks: [task] });
  const { history, outputs, tests, output } = await show(`${view.id}/t`);
  const [attempt] = history;
  assert.equal(attempt?.outcome, 'timed_out');
  assert.deepEqual(outputs, { part: 'one' });
  assert.deepEqual([tests?.passed, tests?.failed], [1, 1]);
  assert.equal(output?.tail, 'as far as here\n');
  assert.deepEqual(
    attempt?.artifacts?.files.map(({ path }) => path),
    ['half.txt'],
  );
  assert.equal(await readFile(join(attempt?.artifacts?.folder ?? '', 'half.txt'), 'utf8'), 'half\n');
});

test('when a cancelled task has ended, nothing of its process tree is left', async () => {
  const { mark, sleep } = named();
  const stubborn = `trap "" TERM HUP INT; (setsid bash -c 'trap "" TERM; ${sleep}' &); echo up > stubborn-up; while :; do sleep 1; done`;
  const id = await tree.submit({ directive: 'Stubborn', workspace, tasks: [{ id: 't', run: stubborn }] });
  await appears(join(workspace, 'stubborn-up'));
  assert.notDeepEqual(processesWith(mark), []);
  await tree.json(['task', 'cancel', `${id}/t`]);
  const view = await tree.waitFor(id);
  assert.deepEqual(processesWith(mark), []);
  assert.equal(view.tasks[0]?.history[0]?.outcome, 'cancelled');
});

test('the task of a servant that is stopped goes to another, and what the stopped one says later is fenced', async () => {
  const run = 'echo $ELDERS_ATTEMPT >> runs; [ $ELDERS_ATTEMPT = 2 ] || sleep 600';
  const status = await tree.status();
  const manager = status.manager?.pid as number;
  const pidOf = new Map(status.elders.map(({ name, pid }) => [name, pid as number]));
  const id = await tree.submit({ directive: 'Stopped', workspace, tasks: [{ id: 't', run }] });
  await appears(join(workspace, 'runs'));
  const { servant } = await show(`${id}/t`);
  const holder = pidOf.get(servant ?? '') as number;
  // Or it would replace a servant that hangs, and the lease would never run out.
  process.kill(manager, 'SIGSTOP');
  try {
    process.kill(holder, 'SIGSTOP');
    let view: DirectiveView;
    try {
      view = await tree.waitFor(id);
    } finally {
      process.kill(holder, 'SIGCONT');
    }
    assert.equal(view.state, 'completed');
  } finally {
    process.kill(manager, 'SIGCONT');
  }
  assert.match(
    await logged('task_sage', 'a report under a lease that is over'),
    new RegExp(servant as string),
  );
  const { history, state, attempts } = await show(`${id}/t`);
  assert.deepEqual(
    history.map(({ attempt, outcome }) => [attempt, outcome]),
    [
      [1, 'lost'],
      [2, 'succeeded'],
    ],
  );
  assert.notEqual(history[1]?.servant, servant);
  assert.deepEqual([state, attempts], ['succeeded', 2]);
  assert.equal(await readFile(join(workspace, 'runs'), 'utf8'), '1\n2\n');
});
