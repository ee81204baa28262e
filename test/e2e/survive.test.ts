import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { DirectiveView } from '../../src/protocol/directive.ts';
import type { TreeStatus } from '../../src/protocol/process.ts';
import { fixedElders } from '../../src/protocol/roster.ts';
import { appears } from '../support/appears.ts';
import { evidence, witnessedCommand } from '../support/attempt-log.ts';
import { endProcess } from '../support/end-process.ts';
import { TestTree } from '../support/tree.ts';

const taskCount = 200;
let tree: TestTree;

before(async () => {
  // Each process is killed far more often here than a tree should put up with.
  tree = await TestTree.create({ config: { supervision: { intensity: 1_000 } } });
  await tree.up();
});
after(() => tree.dispose());

/** 200 short tasks: chains of ten that run beside each other. */
function directive(workspace: string) {
  const tasks = Array.from({ length: taskCount }, (_, index) => ({
    id: `t${index}`,
    run: witnessedCommand(0.01),
    ...(index % 10 === 0 ? {} : { needs: [`t${index - 1}`] }),
  }));
  return { directive: 'Survive', goal: 'each task has one outcome', workspace, tasks };
}

/** Submits the directive and resolves once so many attempts have begun; `view` is how it ended. */
async function startDirective(
  workspace: string,
  attempts: number,
): Promise<{ view: Promise<DirectiveView> }> {
  await mkdir(workspace);
  const begun = startsReach(workspace, attempts);
  const view = tree.submit(directive(workspace)).then((id) => tree.waitFor(id));
  view.catch(() => {});
  await Promise.race([begun, view]);
  return { view };
}

/** Resolves once the commands in a workspace have noted so many starts. */
async function startsReach(workspace: string, count: number): Promise<void> {
  for await (const _ of watch(workspace)) {
    if ((await evidence(workspace)).starts.length >= count) return;
  }
}

async function assertOneOutcomeEach(view: DirectiveView, workspace: string): Promise<void> {
  assert.equal(view.state, 'completed', JSON.stringify(view));
  assert.equal(view.tasks.length, taskCount);
  for (const task of view.tasks) {
    assert.equal(task.state, 'succeeded', task.id);
    const succeeded = task.history.filter((attempt) => attempt.outcome === 'succeeded');
    assert.equal(succeeded.length, 1, `${task.id} has one outcome that counts`);
    assert.equal(task.history.length, task.attempts, `every attempt at ${task.id} is on record`);
  }
  const { starts, overlaps } = await evidence(workspace);
  assert.deepEqual(overlaps, [], 'no two attempts at a time');
  assert.equal(new Set(starts).size, starts.length, 'no attempt was started twice');
}

function pidIn(status: TreeStatus, target: string): number | undefined {
  if (target === 'manager') return status.manager?.pid;
  const { pid } =
    target === 'redis' ? status.redis : (status.elders.find(({ name }) => name === target) ?? {});
  return pid ?? undefined;
}

function pidOf(status: TreeStatus, target: string): number {
  return pidIn(status, target) ?? assert.fail(`${target} has no pid`);
}

/** Waits until the whole tree is ready, as a user would: by asking. */
async function untilReady(): Promise<TreeStatus> {
  for (;;) {
    const status = await tree.status();
    if (status.state === 'ready') return status;
  }
}

const targets = [...fixedElders.map((elder) => elder.name), 'servant_1', 'redis', 'manager'];

for (const target of targets) {
  test(`kill -9 of ${target} while 200 tasks run: nothing lost, nothing twice`, async () => {
    const workspace = join(tree.folder, `work-${target}`);
    const beforehand = await untilReady();
    const { view } = await startDirective(workspace, taskCount / 5);
    await endProcess(pidOf(beforehand, target));
    if (target === 'manager') await tree.up();
    await assertOneOutcomeEach(await view, workspace);
    const afterwards = await untilReady();
    for (const elder of afterwards.elders) {
      const earlier = beforehand.elders.find(({ name }) => name === elder.name);
      if (elder.name === target) {
        assert.notEqual(elder.pid, earlier?.pid);
        assert.equal(elder.restarts, (earlier?.restarts ?? 0) + 1, 'status shows the restart');
      } else {
        assert.equal(elder.pid, earlier?.pid, `${elder.name} went on`);
        assert.equal(elder.restarts, earlier?.restarts);
      }
    }
    if (target === 'redis') assert.equal(afterwards.redis.restarts, beforehand.redis.restarts + 1);
  });
}

test('random kills for a minute, 20 at least: every directive completes, each task once', async () => {
  const until = Date.now() + 60_000;
  let kills = 0;
  const isOver = () => kills >= 20 && Date.now() >= until;
  for (let round = 0; !isOver(); round += 1) {
    const workspace = join(tree.folder, `random-${round}`);
    const { view } = await startDirective(workspace, 1);
    let over = false;
    const done = view.finally(() => (over = true));
    done.catch(() => {});
    while (!over && !isOver()) {
      const status = await tree.status();
      const target = targets[Math.floor(Math.random() * targets.length)] as string;
      const pid = pidIn(status, target);
      // Otherwise it is just being restarted.
      if (pid !== undefined) {
        await endProcess(pid);
        kills += 1;
      }
      if (target === 'manager' || status.manager === null) await tree.up();
    }
    await untilReady();
    await assertOneOutcomeEach(await done, workspace);
  }
});

test('the witness sees two attempts at a time when there are two', async () => {
  const workspace = await mkdtemp(join(tmpdir(), 'elders-witness-'));
  const run = (attempt: string, seconds: number) =>
    spawn('bash', ['-c', witnessedCommand(seconds)], {
      cwd: workspace,
      detached: true,
      env: { PATH: process.env.PATH, ELDERS_TASK_ID: 't', ELDERS_ATTEMPT: attempt },
    });
  const first = run('1', 600);
  await appears(join(workspace, 'starts'));
  await once(run('2', 0), 'close');
  process.kill(-(first.pid ?? assert.fail()), 'SIGKILL');
  await once(first, 'close');
  assert.equal((await evidence(workspace)).overlaps.length, 1);
  await rm(workspace, { recursive: true });
});
