import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Agent } from '../../../src/agents/agent.ts';
import type { Effect } from '../../../src/agents/core.ts';
import { Executor } from '../../../src/elders/servant/executor.ts';
import type { Assignment, ServantInput } from '../../../src/elders/servant/servant.ts';
import { configSchema } from '../../../src/protocol/config.ts';
import { stateFolder } from '../../../src/protocol/state-folder.ts';
import type { Logger } from '../../../src/telemetry/logger.ts';
import { task } from '../../support/directive.ts';
import { workbench } from './execution/workbench.ts';

/** An executor whose servant is the test. */
function place(t: TestContext) {
  const { workspace } = workbench(t);
  const silent = () => undefined;
  const log = { info: silent, warn: silent, error: silent, debug: silent } as unknown as Logger;
  const config = configSchema.parse({ sandbox: 'none', tasks: { killGrace: '100ms' } });
  mkdirSync(join(workspace, '.elders', 'run'), { recursive: true });
  const executor = new Executor({ name: 'servant_1', folder: stateFolder(workspace), config, log });
  const told: ServantInput[] = [];
  let onTold = silent as (input: ServantInput) => void;
  const agent = {
    input: async (input: Effect) => {
      const heard = input as unknown as ServantInput;
      told.push(heard);
      onTold(heard);
    },
  } as unknown as Agent;
  const hears = (kind: ServantInput['kind']) =>
    new Promise<ServantInput>((resolve) => {
      onTold = (input) => input.kind === kind && resolve(input);
    });
  const run = (command: string, leaseMs = 60_000) => {
    const assignment: Assignment = {
      directiveId: 'd',
      workspace,
      task: task('t', { run: command }),
      attempt: 1,
      lease: 'l',
      leaseMs,
      expiresAt: Date.now() + leaseMs,
    };
    executor.perform({ kind: 'run', assignment: assignment as unknown as Effect }, agent);
  };
  return { workspace, told, hears, run };
}

test('the end of a command tells its start too, since that of a short one is not told before', async (t) => {
  const { told, hears, run } = place(t);
  const ended = hears('finished');
  run('true');
  await ended;
  const last = told.at(-1);
  assert.deepEqual(last?.kind === 'finished' && [last.result.outcome, last.result.reason], [
    'succeeded',
    null,
  ]);
  assert.equal(typeof (last?.kind === 'finished' && last.result.startedAt), 'number');
});

test('the start of one that goes on is told meanwhile', async (t) => {
  const { workspace, told, hears, run } = place(t);
  const started = hears('started');
  run('until [ -e go ]; do sleep 0.01; done');
  await started;
  const ended = hears('finished');
  writeFileSync(join(workspace, 'go'), '');
  await ended;
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ['started', 'finished'],
  );
});

test('a command whose lease is not renewed is ended, and counts as lost', async (t) => {
  const { hears, run } = place(t);
  const ended = hears('finished');
  run('sleep 600', 300);
  const input = await ended;
  assert.equal(input.kind === 'finished' && input.result.outcome, 'lost');
});
