import type { Agent } from '../src/agents/agent.ts';
import type { Effect } from '../src/agents/core.ts';
import type { Assignment, ServantEffect, ServantInput } from '../src/elders/servant/servant.ts';
import type { Clock } from '../src/messaging/clock.ts';
import type { AttemptResult } from '../src/protocol/actions.ts';
import { behaviourOf } from './directives.ts';
import type { Execution, Executions } from './executions.ts';
import type { Incarnation } from './incarnation.ts';
import type { Random } from './random.ts';

interface Running {
  readonly lease: string;
  readonly assignment: Assignment;
  execution: Execution | null;
  verdict: { outcome: 'cancelled' | 'lost' | 'timed_out'; reason: string } | null;
  cancelLeaseTimer: () => void;
  over: boolean;
}

interface ExecutorOptions {
  readonly incarnation: Incarnation;
  readonly executions: Executions;
  /** The clock of the host: commands outlive their servant unless they are ended. */
  readonly host: Clock;
  readonly random: Random;
  readonly killGraceMs: number;
  /** Whether what the predecessor left is ended before the servant is told so. */
  readonly reaps: boolean;
}

/** The longest that a command outlives its servant; less than a lease. */
const longestSurvivalMs = 1_500;

/** Stands in for the executor of one incarnation of a servant: commands are virtual durations and exit codes. */
export class SimulatedExecutor {
  readonly #options: ExecutorOptions;
  #running: Running | null = null;

  constructor(options: ExecutorOptions) {
    this.#options = options;
  }

  /** The `perform` of the servant's agent. */
  perform(effect: Effect, agent: Agent): void {
    const wanted = effect as unknown as ServantEffect;
    const tell = (input: ServantInput) => void agent.input(input as unknown as Effect).catch(() => {});
    switch (wanted.kind) {
      case 'reap':
        this.#reap(tell);
        return;
      case 'run':
        this.#run(wanted.assignment, tell);
        return;
      case 'extend_lease':
        if (this.#running?.lease === wanted.lease) this.#watchLease(this.#running, wanted.expiresAt, tell);
        return;
      case 'cancel':
        if (this.#running?.lease === wanted.lease) this.#end(this.#running, wanted, tell);
    }
  }

  /** What ends a command with its servant does so soon; often its successor is there before. */
  abandon(): void {
    const { incarnation, executions, host, random } = this.#options;
    const afterMs = random.between(0, random.chance(0.4) ? 20 : longestSurvivalMs);
    for (const left of executions.of(incarnation.name)) {
      host.setTimer(afterMs, () => executions.end(left, null));
    }
  }

  #reap(tell: (input: ServantInput) => void): void {
    const { incarnation, executions, random, reaps } = this.#options;
    incarnation.clock.setTimer(random.between(1, 60), () => {
      if (reaps) for (const left of executions.of(incarnation.name)) executions.end(left, null);
      tell({ kind: 'reaped' });
    });
  }

  #run(assignment: Assignment, tell: (input: ServantInput) => void): void {
    const { incarnation, executions, host, random } = this.#options;
    const { lease, expiresAt, attempt, task } = assignment;
    const running: Running = {
      lease,
      assignment,
      execution: null,
      verdict: null,
      cancelLeaseTimer: () => {},
      over: false,
    };
    this.#running = running;
    if (expiresAt <= host.now()) {
      running.verdict = { outcome: 'lost', reason: 'the lease ran out before the start' };
      this.#finish(running, tell);
      return;
    }
    this.#watchLease(running, expiresAt, tell);
    incarnation.clock.setTimer(random.between(1, 30), () => {
      if (running.over) return;
      const execution = executions.begin(incarnation.name, incarnation.number, assignment);
      running.execution = execution;
      tell({ kind: 'started', lease, startedAt: execution.startedAt });
      const { durationMs, exitCode } = behaviourOf(task.run, attempt);
      host.setTimer(durationMs, () => {
        executions.end(execution, exitCode);
        if (incarnation.alive && running.verdict === null) this.#finish(running, tell);
      });
      incarnation.clock.setTimer(task.timeoutMs, () =>
        this.#end(running, { outcome: 'timed_out', reason: 'ran too long' }, tell),
      );
    });
  }

  #watchLease(running: Running, expiresAt: number, tell: (input: ServantInput) => void): void {
    const { clock } = this.#options.incarnation;
    running.cancelLeaseTimer();
    const end = () => this.#end(running, { outcome: 'lost', reason: 'the lease could not be renewed' }, tell);
    running.cancelLeaseTimer = clock.setTimer(expiresAt - clock.now(), end);
  }

  #end(
    running: Running,
    verdict: NonNullable<Running['verdict']>,
    tell: (input: ServantInput) => void,
  ): void {
    const { incarnation, executions, random, killGraceMs } = this.#options;
    if (running.over || running.verdict) return;
    running.verdict = { outcome: verdict.outcome, reason: verdict.reason };
    if (running.execution === null) {
      this.#finish(running, tell);
      return;
    }
    const { execution } = running;
    incarnation.clock.setTimer(random.between(1, killGraceMs), () => {
      executions.end(execution, null);
      this.#finish(running, tell);
    });
  }

  #finish(running: Running, tell: (input: ServantInput) => void): void {
    const { execution, verdict, assignment, lease } = running;
    const { directiveId, task, attempt } = assignment;
    const exitCode = verdict ? null : (execution?.exitCode ?? null);
    running.over = true;
    running.cancelLeaseTimer();
    this.#running = null;
    const result: AttemptResult = {
      directiveId,
      taskId: task.id,
      lease,
      attempt,
      outcome: verdict?.outcome ?? (exitCode === 0 ? 'succeeded' : 'failed'),
      exitCode,
      signal: null,
      startedAt: execution?.startedAt ?? null,
      finishedAt: execution?.endedAt ?? this.#options.host.now(),
      reason: verdict?.reason ?? (exitCode === 0 ? null : `exit code ${exitCode}`),
      output: null,
    };
    tell({ kind: 'finished', result });
  }
}
