import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Agent } from '../../agents/agent.ts';
import type { Effect } from '../../agents/core.ts';
import type { AttemptResult } from '../../protocol/actions.ts';
import type { Config } from '../../protocol/config.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { assignedCommand } from './assigned-command.ts';
import { KeptLauncher } from './execution/launcher/kept-launcher.ts';
import { reapSandbox } from './execution/reap-sandbox.ts';
import { type RunningCommand, startCommand } from './execution/run-command.ts';
import { assignedWorktree, endWorktree } from './git/assigned-worktree.ts';
import { leaveWorktree } from './git/finish-worktree.ts';
import type { Worktree } from './git/worktree.ts';
import { collectResults } from './results/collect-results.ts';
import { followProgress } from './results/follow-progress.ts';
import type { Assignment, ServantEffect, ServantInput } from './servant.ts';

/** What the launcher waits beyond the end of a lease and the time to end by itself that every command has, in ms. */
const launcherSlackMs = 1_000;

/** A command that is over sooner is reported once, with its start and no progress: that saves two commits of a short task (ms). */
const reportStartAfterMs = 100;

interface ExecutorOptions {
  readonly name: string;
  readonly folder: StateFolder;
  readonly config: Config;
  readonly log: Logger;
}

interface Running {
  readonly lease: string;
  readonly abort: AbortController;
  /** Ends the command when the lease is not renewed in time: by then the task sage may give it to another. */
  leaseTimer: NodeJS.Timeout;
  /** What the attempt is to be reported as when it was ended from here. */
  verdict: { outcome: 'cancelled' | 'lost'; reason: string } | null;
}

/** Does what a servant's core asks for: runs commands, ends them, and tells the core what came of it. */
export class Executor {
  readonly #options: ExecutorOptions;
  readonly #launcher: KeptLauncher;
  #running: Running | null = null;
  #agent: Agent | null = null;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    const own = dirname(options.folder.sandboxRecord(options.name));
    mkdirSync(own, { recursive: true, mode: 0o700 });
    this.#launcher = new KeptLauncher(join(own, 'launcher'));
  }

  /** The `perform` of the servant's agent. */
  perform(effect: Effect, agent: Agent): void {
    this.#agent = agent;
    const wanted = effect as unknown as ServantEffect;
    const tell = (input: ServantInput) => {
      // An agent that stops does not listen any more; its successor finds the attempt in the state.
      agent.input(input as unknown as Effect).catch(() => {});
    };
    switch (wanted.kind) {
      case 'reap':
        void this.#reap(tell);
        return;
      case 'run':
        void this.#run(wanted.assignment, tell);
        return;
      case 'extend_lease':
        if (this.#running?.lease === wanted.lease)
          this.#watchLease(this.#running, wanted.expiresAt, wanted.leaseMs);
        return;
      case 'cancel':
        this.#end(wanted.lease, wanted.outcome, wanted.reason);
    }
  }

  async #reap(tell: (input: ServantInput) => void): Promise<void> {
    const { folder, name, log } = this.#options;
    for (;;) {
      try {
        const reaped = await reapSandbox(folder.sandboxRecord(name));
        if (reaped.kind !== 'nothing') log.warn({ reaped: reaped.kind }, 'the predecessor left a command');
        tell({ kind: 'reaped' });
        return;
      } catch (error) {
        // Until it is certain that nothing runs any more, nothing new may.
        log.error({ error: String(error) }, 'the command of the predecessor could not be ended yet');
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
    }
  }

  async #run(assignment: Assignment, tell: (input: ServantInput) => void): Promise<void> {
    const { lease, expiresAt, leaseMs } = assignment;
    const running: Running = {
      lease,
      abort: new AbortController(),
      leaseTimer: setTimeout(() => {}),
      verdict: null,
    };
    this.#running = running;
    this.#watchLease(running, expiresAt, leaseMs);
    let result: AttemptResult;
    let stopFollowing = () => {};
    let reportStart: NodeJS.Timeout | undefined;
    try {
      // The commit before this may have waited for Redis longer than the lease.
      if (expiresAt <= Date.now()) this.#end(lease, 'lost', 'the lease ran out before the start');
      const worktree = running.verdict ? undefined : await assignedWorktree(this.#options.folder, assignment);
      try {
        const exchange = this.#newExchange();
        const { signal } = running.abort;
        const command = await this.#start(assignment, { signal, worktree, exchange });
        const { startedAt } = command;
        if (startedAt !== null) {
          reportStart = setTimeout(() => {
            tell({ kind: 'started', lease, startedAt });
            stopFollowing = followProgress(exchange, (progress) =>
              tell({ kind: 'progress', lease, progress }),
            );
          }, reportStartAfterMs);
        }
        const ended = await command.finished;
        const inWorktree = worktree?.startIn;
        const told =
          startedAt === null
            ? {}
            : await collectResults(this.#options, assignment, { exchange, startedAt, inWorktree });
        result = { ...this.#toResult(assignment, running, ended), ...told };
      } catch (error) {
        if (worktree) await leaveWorktree(worktree);
        throw error;
      }
      if (worktree) {
        const mayMerge = () => running.verdict === null;
        result = await endWorktree(this.#options, assignment, { worktree, result, mayMerge });
        // What was ended from here before its merge has failed at nothing.
        if (running.verdict && result.outcome === 'failed') result = { ...result, ...running.verdict };
      }
    } catch (error) {
      const finishedAt = Date.now();
      const failed = {
        outcome: 'failed' as const,
        exitCode: null,
        signal: null,
        startedAt: null,
        output: null,
      };
      result = this.#toResult(assignment, running, { ...failed, finishedAt, reason: String(error) });
    } finally {
      stopFollowing();
      clearTimeout(reportStart);
      clearTimeout(running.leaseTimer);
      this.#running = null;
    }
    tell({ kind: 'finished', result });
  }

  #noteDenial(task: string, host: string, reason: string): void {
    const whom = { subject: task, object: host, action: 'task.execute' };
    this.#agent?.noteDenial({ kind: 'denial', event: 'network', ...whom, reason });
  }

  async #start(
    assignment: Assignment,
    { signal, worktree, exchange }: { signal: AbortSignal; worktree: Worktree | undefined; exchange: string },
  ): Promise<RunningCommand> {
    const { log } = this.#options;
    const { task, directiveId } = assignment;
    const command = assignedCommand(this.#options, assignment, {
      worktree,
      exchange,
      onRefusedHost: (host, reason) => {
        log.warn({ taskId: task.id, host, reason }, 'a command asked for a host in vain');
        this.#noteDenial(`${directiveId}/${task.id}`, host, reason);
      },
    });
    const launcher = await this.#launcher.get(command.limits.niceness);
    return startCommand({ ...command, signal, launcher });
  }

  /** An empty folder; what an attempt before left there is gone. At once: other threads would take longer to be told. */
  #newExchange(): string {
    const { folder, name } = this.#options;
    const path = folder.exchange(name);
    if (isEmptyFolder(path)) return path;
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  }

  #toResult(
    { directiveId, task, lease, attempt }: Assignment,
    { verdict }: Running,
    ended: Awaited<RunningCommand['finished']>,
  ): AttemptResult {
    const { exitCode, signal, startedAt, finishedAt, output, usage } = ended;
    const outcome = ended.outcome === 'cancelled' && verdict ? verdict.outcome : ended.outcome;
    const reason = outcome === ended.outcome ? ended.reason : (verdict?.reason ?? ended.reason);
    const common = { directiveId, taskId: task.id, lease, attempt, exitCode, signal, startedAt, finishedAt };
    return { ...common, outcome, reason, output, ...(usage && { usage }) };
  }

  #watchLease(running: Running, expiresAt: number, leaseMs: number): void {
    clearTimeout(running.leaseTimer);
    const end = () => this.#end(running.lease, 'lost', 'the lease could not be renewed');
    // A clock that was set back does not make the lease longer.
    const left = Math.min(leaseMs, Math.max(0, expiresAt - Date.now()));
    running.leaseTimer = setTimeout(end, left);
    // This process ends the command by itself, unless it is stopped; the launcher comes before the task sage gives up.
    const grace = this.#options.config.tasks.killGrace + launcherSlackMs;
    this.#launcher.hold(left + Math.min(grace, leaseMs / 2));
  }

  #end(lease: string, outcome: 'cancelled' | 'lost', reason: string): void {
    const running = this.#running;
    if (running?.lease !== lease || running.verdict) return;
    running.verdict = { outcome, reason };
    this.#options.log.info({ lease, outcome, reason }, 'ending the command');
    running.abort.abort(reason);
  }
}

function isEmptyFolder(path: string): boolean {
  // A command without a sandbox may have put a link there.
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true && readdirSync(path).length === 0;
}
