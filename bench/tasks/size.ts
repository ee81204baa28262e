import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Agent } from '../../src/agents/agent.ts';
import type { Core } from '../../src/agents/core.ts';
import { machineSources } from '../../src/agents/machine-sources.ts';
import type { AttemptResult, PayloadInput } from '../../src/protocol/actions.ts';
import { defaultConfig } from '../../src/protocol/config.ts';
import type { TaskSpec } from '../../src/protocol/directive.ts';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { median, quantile, rounded } from '../messaging/statistics.ts';
import type { SageOrder, SageReport } from './sage-process.ts';

/** How large it is to be. */
export interface Size {
  /** Tasks of the one graph. */
  readonly tasks: number;
  /** How many of them are worked off before the sage is killed. */
  readonly worked: number;
  /** Directives that have ended before. */
  readonly history: number;
}

const stages = 100;
const megabyte = 1_000_000;

/** Servants that end each task as soon as they get it, without running anything; in two steps, as those that run a command. */
function scriptedServant(onTask: () => void): Core {
  return {
    handlers: {
      'sage.task.assign': (ctx, { payload: { directiveId, task, lease, attempt } }) =>
        ctx.effect({ kind: 'end', directiveId, taskId: task.id, lease, attempt }),
    },
    onInput: (ctx, { directiveId, taskId, lease, attempt }) => {
      const now = ctx.now();
      const ended = { outcome: 'succeeded', exitCode: 0, signal: null, reason: null, output: null } as const;
      const ids = { directiveId, taskId, lease, attempt } as Pick<
        AttemptResult,
        'directiveId' | 'taskId' | 'lease' | 'attempt'
      >;
      const result: AttemptResult = { ...ids, startedAt: now, finishedAt: now, ...ended };
      ctx.send('task_sage', 'report.to_sage.attempt_finished', result);
      onTask();
    },
    onStart: (ctx) => {
      ctx.send('task_sage', 'report.to_sage.available', { incarnation: ctx.incarnation });
    },
  };
}

/** The claude elder, played: it hands graphs over and counts those that have ended. */
function scriptedClaude(onFinished: () => void): Core {
  return {
    handlers: {
      'report.to_elder.graph_finished': () => onFinished(),
      'report.to_elder.graph_started': () => {},
    },
    onInput: (ctx, input) => {
      const payload = input.payload as PayloadInput<'sage.task.create'>;
      ctx.send('task_sage', 'sage.task.create', payload, { correlationId: payload.directiveId });
    },
  };
}

function spec(id: string, needs: string[], values: number): TaskSpec {
  const matrix = { n: Array.from({ length: values }, (_, index) => String(index)) };
  return {
    id,
    run: 'true',
    needs,
    retries: 0,
    timeoutMs: 60_000,
    priority: 5,
    env: {},
    ...(values > 1 && { matrix }),
  };
}

/** Counts on, and lets somebody wait for a number. */
class Counter {
  count = 0;
  #waiting: { at: number; resolve: () => void }[] = [];

  add(): void {
    this.count += 1;
    for (const { at, resolve } of this.#waiting) if (this.count >= at) resolve();
    this.#waiting = this.#waiting.filter(({ at }) => this.count < at);
  }

  reaches(at: number): Promise<void> {
    if (this.count >= at) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ at, resolve }));
  }
}

/** Starts the process; gives also how long it took to load its program, and then to begin with what Redis holds (ms). */
async function startSage(redis: TestRedis, servants: readonly string[]) {
  const began = performance.now();
  const process = fork(join(import.meta.dirname, 'sage-process.ts'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await once(process, 'message');
  const loaded = performance.now();
  const { tree, endpoint } = redis;
  const credential = await redis.createIncarnation('task_sage');
  const order: SageOrder = { tree, endpoint, credential, tls: await redis.tlsOf('task_sage'), servants };
  process.send(order);
  await once(process, 'message');
  return { process, loadMs: loaded - began, stateMs: performance.now() - loaded };
}

async function ask(sage: ChildProcess): Promise<SageReport> {
  sage.send('report');
  const [report] = (await once(sage, 'message')) as [SageReport];
  return report;
}

function decisionMs({ decisions }: SageReport) {
  const digits = 3;
  return {
    p50: rounded(median(decisions), digits),
    p99: rounded(quantile(decisions, 0.99), digits),
    max: rounded(Math.max(...decisions), digits),
  };
}

/**
 * The real task sage on a real Redis with a graph of many tasks and a long history; claude elder and servants are
 * scripted, so that only the sage and Redis are measured. It is killed in the middle of the graph and started anew.
 */
export async function measureSize({ tasks, worked, history }: Size, say: (text: string) => void) {
  const names = ['servant_1', 'servant_2', 'servant_3', 'servant_4'];
  const redis = await startTestRedis({ servants: names.length });
  const done = new Counter();
  const finished = new Counter();
  const agents: Agent[] = [];
  let stopping = false;
  const start = async (name: string, core: Core) => {
    const broker = await redis.brokerFor(name);
    const agent = new Agent({
      name,
      incarnation: 1,
      pid: process.pid,
      core,
      broker,
      ...machineSources,
      servants: names,
      attempts: 5,
      log: { info: () => {}, warn: () => {} },
      perform: (effect, performer) => void performer.input(effect).catch(() => {}),
    });
    await agent.start();
    agent.run().catch((error) => stopping || say(`${name}: ${error}`));
    agents.push(agent);
    return agent;
  };
  let { process: sage } = await startSage(redis, names);
  try {
    const claude = await start(
      'claude_elder',
      scriptedClaude(() => finished.add()),
    );
    for (const name of names)
      await start(
        name,
        scriptedServant(() => done.add()),
      );
    const empty = await ask(sage);
    const create = (directiveId: string, specs: TaskSpec[]) =>
      claude.input({
        kind: 'create',
        payload: { directiveId, title: directiveId, workspace: '/work', tasks: specs },
      });
    for (let at = 0; at < history; at += 1) {
      // As many at a time as a grand elder accepts.
      await finished.reaches(at - defaultConfig.strategy.maxActiveDirectives + 1);
      await create(`old-${at}`, [spec('a', [], 1), spec('b', ['a'], 1)]);
    }
    await finished.reaches(history);
    const afterHistory = await ask(sage);
    say(
      `${history} directives have ended; the sage holds ${Math.round(afterHistory.rssBytes / megabyte)} MB`,
    );

    const graph = Array.from({ length: stages }, (_, at) =>
      spec(`s${at}`, at === 0 ? [] : [`s${at - 1}`], tasks / stages),
    );
    const before = done.count;
    const began = performance.now();
    await create('large', graph);
    await done.reaches(before + 1);
    const firstMs = performance.now() - began;
    await done.reaches(before + worked);
    const workedMs = performance.now() - began;
    const inGraph = await ask(sage);
    say(`${worked} of ${tasks} tasks took ${Math.round(workedMs)} ms`);

    const gone = once(sage, 'exit');
    sage.kill('SIGKILL');
    await gone;
    const restarted = performance.now();
    const { process: successor, loadMs, stateMs } = await startSage(redis, names);
    sage = successor;
    await done.reaches(done.count + 1);
    const nextMs = performance.now() - restarted;
    say(`the killed sage was back after ${Math.round(loadMs + stateMs)} ms`);
    await done.reaches(before + Math.min(tasks, 2 * worked));
    const afterRestart = await ask(sage);
    return {
      tasks,
      worked,
      history,
      firstTaskMs: rounded(firstMs),
      tasksPerSecond: rounded((worked * 1_000) / workedMs, 1),
      decisionMs: {
        inHistory: decisionMs(afterHistory),
        inGraph: decisionMs(inGraph),
        afterRestart: decisionMs(afterRestart),
      },
      restartMs: { program: rounded(loadMs, 0), state: rounded(stateMs, 0), nextTask: rounded(nextMs, 0) },
      memoryMb: {
        empty: rounded(empty.rssBytes / megabyte, 0),
        afterHistory: rounded(afterHistory.rssBytes / megabyte, 0),
        inGraph: rounded(inGraph.rssBytes / megabyte, 0),
        afterRestart: rounded(afterRestart.rssBytes / megabyte, 0),
      },
    };
  } finally {
    stopping = true;
    sage.kill('SIGKILL');
    for (const agent of agents) agent.stop();
    await redis.stop();
  }
}
