import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configSchema } from '../../../src/protocol/config.ts';
import { type ElderSpec, roster } from '../../../src/protocol/roster.ts';
import { BranchSupervisor, type Escalation } from '../../../src/supervision/branches/branch-supervisor.ts';
import type { Branch } from '../../../src/supervision/branches/branch-tree.ts';
import type { CrashHistory } from '../../../src/supervision/restarts/crash-memory.ts';

const spec = (name: string): ElderSpec => roster(2).find((each) => each.name === name) ?? assert.fail(name);

function supervisorOf(
  supervision: object,
  remembered: [Branch, CrashHistory][] = [],
  outcome: Promise<void> = new Promise(() => undefined),
) {
  let now = 10_000_000;
  let begin = () => {};
  const escalations: Escalation[] = [];
  const histories = new Map(remembered);
  const restarts: { names: string[]; after: string | null }[] = [];
  const config = configSchema.parse({ servants: 2, supervision });
  const supervisor = new BranchSupervisor({
    family: () => ({ config, specs: roster(2) }),
    histories: new Map(remembered),
    now: () => now,
    restart: (groups, after, onStart) => {
      restarts.push({ names: groups.flat().map(({ name }) => name), after });
      begin = onStart ?? begin;
      return outcome;
    },
    onHistory: (branch, history) => histories.set(branch, history),
    onEscalation: (escalation) => escalations.push(escalation),
  });
  const pass = (ms: number) => {
    now += ms;
  };
  return { supervisor, escalations, histories, restarts, pass, begin: () => begin() };
}

test('one_for_one leaves the others alone; rest_for_one restarts those after, once the first is ready', async () => {
  const alone = supervisorOf({});
  alone.supervisor.crashed(spec('task_sage'));
  assert.deepEqual(alone.restarts, []);
  const together = supervisorOf({ branches: { claude_elder: { strategy: 'rest_for_one' } } });
  together.supervisor.crashed(spec('task_sage'));
  together.supervisor.crashed(spec('task_sage'));
  assert.deepEqual(together.restarts, [{ names: ['rag_sage', 'incident_sage'], after: 'task_sage' }]);
  together.begin();
  together.supervisor.crashed(spec('task_sage'));
  assert.equal(together.restarts.length, 2);
});

test('an elder that is given up has its branch restarted, then the branch above, and at last it stays failed', () => {
  const { supervisor, escalations, restarts } = supervisorOf({});
  for (let round = 0; round < 5; round += 1) supervisor.givenUp(spec('rag_sage'));
  assert.deepEqual(
    escalations.map(({ branch, restarted }) => [branch, restarted]),
    [
      ['claude_elder', true],
      ['grand_elder', true],
      ['root', true],
      ['claude_elder', false],
      ['claude_elder', false],
    ],
  );
  assert.deepEqual(restarts[0]?.names, ['knowledge_sage', 'task_sage', 'rag_sage', 'incident_sage']);
  assert.equal(restarts[2]?.names.length, roster(2).length);
});

test('restarts of a branch count for its period, and an earlier manager’s too', () => {
  const first = supervisorOf({ branches: { claude_elder: { period: '1m' } } });
  first.supervisor.givenUp(spec('rag_sage'));
  const next = supervisorOf({ branches: { claude_elder: { period: '1m' } } }, [...first.histories]);
  next.supervisor.givenUp(spec('rag_sage'));
  assert.equal(next.escalations[0]?.branch, 'grand_elder');
  next.pass(61_000);
  next.supervisor.givenUp(spec('rag_sage'));
  assert.equal(next.escalations[1]?.branch, 'claude_elder');
  // The control: without the memory the first branch would be restarted again.
  const forgetful = supervisorOf({ branches: { claude_elder: { period: '1m' } } });
  forgetful.supervisor.givenUp(spec('rag_sage'));
  assert.equal(forgetful.escalations[0]?.branch, 'claude_elder');
});

test('a branch that holds lets the others go on', () => {
  const { supervisor, escalations, restarts } = supervisorOf({});
  supervisor.givenUp(spec('servant_1'));
  assert.deepEqual([escalations[0]?.restarted, restarts], [false, []]);
});

test('a restart that fails is told, and no rejection is left unhandled', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  process.on('unhandledRejection', note);
  const error = new Error('no more processes');
  const family = { branches: { claude_elder: { strategy: 'rest_for_one' } } };
  const { supervisor, escalations } = supervisorOf(family, [], Promise.reject(error));
  supervisor.crashed(spec('task_sage'));
  supervisor.givenUp(spec('rag_sage'));
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  assert.deepEqual(unhandled, []);
  assert.deepEqual(
    escalations.filter((each) => each.error !== undefined).map(({ cause, error: why }) => [cause, why]),
    [
      ['rag_sage', error],
      ['task_sage', error],
    ],
  );
});
