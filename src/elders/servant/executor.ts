import { existsSync, mkdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Agent } from '../../agents/agent.ts';
import type { Effect } from '../../agents/core.ts';
import type { AttemptResult } from '../../protocol/actions.ts';
import { type Config, configFileName } from '../../protocol/config.ts';
import { ElderError } from '../../protocol/errors.ts';
import { hostsBeyond } from '../../protocol/network-host.ts';
import { rightsOf } from '../../protocol/servant-kinds.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { outputPath } from './execution/output-file.ts';
import { reapSandbox } from './execution/reap-sandbox.ts';
import { type RunningCommand, startCommand } from './execution/run-command.ts';
import { finishWorktree, leaveWorktree, makeWorktree, type Worktree } from './git/worktree.ts';
import { collectReports } from './results/collect-reports.ts';
import { followProgress } from './results/follow-progress.ts';
import { artifactFolder, keepArtifacts } from './results/keep-artifacts.ts';
import { readTaskFiles } from './results/task-files.ts';
import type { Assignment, ServantEffect, ServantInput } from './servant.ts';

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
  #running: Running | null = null;
  #agent: Agent | null = null;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    mkdirSync(dirname(options.folder.sandboxRecord(options.name)), { recursive: true, mode: 0o700 });
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
        if (this.#running?.lease === wanted.lease) this.#watchLease(this.#running, wanted.expiresAt);
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
    const { lease, expiresAt } = assignment;
    const running: Running = {
      lease,
      abort: new AbortController(),
      leaseTimer: setTimeout(() => {}),
      verdict: null,
    };
    this.#running = running;
    this.#watchLease(running, expiresAt);
    let result: AttemptResult;
    let stopFollowing = () => {};
    try {
      // The commit before this may have waited for Redis longer than the lease.
      if (expiresAt <= Date.now()) this.#end(lease, 'lost', 'the lease ran out before the start');
      const worktree = running.verdict ? undefined : await this.#worktree(assignment);
      try {
        const exchange = await this.#newExchange();
        stopFollowing = followProgress(exchange, (progress) => tell({ kind: 'progress', lease, progress }));
        const { signal } = running.abort;
        const command = await this.#start(assignment, { signal, worktree, exchange });
        if (command.startedAt !== null) tell({ kind: 'started', lease, startedAt: command.startedAt });
        const ended = await command.finished;
        const told = await this.#whatItTold(assignment, worktree?.startIn, ended.startedAt);
        result = { ...this.#toResult(assignment, running, ended), ...told };
      } catch (error) {
        if (worktree) await leaveWorktree(worktree);
        throw error;
      }
      if (worktree)
        result = await this.#afterWorktree(assignment, worktree, result, () => running.verdict === null);
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
    { task, workspace, directiveId, attempt }: Assignment,
    { signal, worktree, exchange }: { signal: AbortSignal; worktree: Worktree | undefined; exchange: string },
  ): Promise<RunningCommand> {
    const { folder, config, name, log } = this.#options;
    const rights = rightsOf(config, name, task.labels ?? []);
    // The grand elder has measured it already; nothing that comes in a message is believed.
    const beyond = hostsBeyond(task.hosts ?? [], config.strategy.hosts);
    const beyondKind = hostsBeyond(task.hosts ?? [], rights.hosts);
    if (beyond.length > 0) {
      const reason = `strategy.hosts does not allow ${beyond.join(', ')}`;
      this.#noteDenial(`${directiveId}/${task.id}`, beyond.join(', '), reason);
      throw new ElderError('denied', reason);
    }
    if (beyondKind.length > 0) {
      const reason = `the kind of servant does not allow ${beyondKind.join(', ')}`;
      this.#noteDenial(`${directiveId}/${task.id}`, beyondKind.join(', '), reason);
      throw new ElderError('denied', reason);
    }
    const { sandboxWritable: writable } = config;
    return startCommand({
      shellCommand: task.run,
      workspace: worktree?.tree ?? workspace,
      ...(worktree && { startIn: worktree.startIn }),
      directiveId,
      taskId: task.id,
      attempt,
      environment: task.env,
      timeoutMs: task.timeoutMs,
      killGraceMs: config.tasks.killGrace,
      limits: rights.limits,
      sandbox:
        config.sandbox === 'none'
          ? { kind: 'none' }
          : {
              kind: 'bubblewrap',
              masked: [folder.root],
              readOnly: [...this.#configFile(), ...(worktree?.readOnly ?? [])],
              writable,
              workspaceReadOnly: !rights.writesWorkspace,
              workspaceUnmasked: worktree !== undefined,
              network: rights.network,
              hosts: task.hosts ?? [],
              onRefusedHost: (host) => {
                log.warn({ taskId: task.id, host }, 'a command asked for a host in vain');
                this.#noteDenial(`${directiveId}/${task.id}`, host, 'not among the hosts of the task');
              },
            },
      outputPath: outputPath({ folder: folder.output, directiveId, taskId: task.id, attempt }),
      exchange,
      recordPath: folder.sandboxRecord(name),
      signal,
    });
  }

  /** An empty folder; what an attempt before left there is gone. */
  async #newExchange(): Promise<string> {
    const { folder, name } = this.#options;
    const path = folder.exchange(name);
    await rm(path, { recursive: true, force: true });
    await mkdir(path, { recursive: true, mode: 0o700 });
    return path;
  }

  /** Reads what the command left for those that come after it; nothing of that can change how it ended. */
  async #whatItTold(
    { task, workspace: named, directiveId, attempt }: Assignment,
    inWorktree: string | undefined,
    startedAt: number | null,
  ): Promise<Partial<AttemptResult>> {
    if (startedAt === null) return {};
    const { folder, name, log } = this.#options;
    const workspace = inWorktree ?? named;
    const ids = { directiveId, taskId: task.id, attempt };
    const kept = { workspace, patterns: task.artifacts ?? [], folder: artifactFolder(folder.artifacts, ids) };
    const [{ problems, ...files }, tests, artifacts] = await Promise.all([
      readTaskFiles(folder.exchange(name)),
      collectReports(workspace, task.reports ?? [], startedAt).catch((error: Error) => {
        log.warn({ taskId: task.id, error: error.message }, 'the test reports could not be read');
        return undefined;
      }),
      keepArtifacts(kept).catch((error: Error) => {
        log.warn({ taskId: task.id, error: error.message }, 'the artifacts could not be kept');
        return { folder: kept.folder, files: [], problems: [error.message.slice(0, 300)] };
      }),
    ]);
    if (problems.length > 0) log.warn({ taskId: task.id, problems }, 'a command left what is no use');
    const { outputs, added } = files;
    return {
      ...(outputs && { outputs }),
      ...(added && { added: [...added] }),
      ...(tests && { tests }),
      ...(artifacts && { artifacts }),
    };
  }

  async #worktree({
    task,
    workspace,
    directiveId,
    attempt,
    bases = [],
  }: Assignment): Promise<Worktree | undefined> {
    if (task.git === undefined) return undefined;
    const { worktrees } = this.#options.folder;
    const ids = { directiveId, taskId: task.id, attempt };
    return makeWorktree({ folder: worktrees, workspace, ...ids, wish: task.git, bases });
  }

  /** Turns what the command left into a commit or a patch; what cannot become one stays, and the attempt has failed. */
  async #afterWorktree(
    { task, directiveId, attempt }: Assignment,
    worktree: Worktree,
    result: AttemptResult,
    mayMerge: () => boolean,
  ): Promise<AttemptResult> {
    if (result.outcome !== 'succeeded') return { ...result, git: await leaveWorktree(worktree) };
    const { folder, log } = this.#options;
    const ids = { directiveId, taskId: task.id, attempt };
    const patchPath = join(artifactFolder(folder.artifacts, ids), 'changes.patch');
    const message = `${task.id}\n\nElders-Directive: ${directiveId}\nElders-Task: ${task.id}\nElders-Attempt: ${attempt}\n`;
    try {
      const ended = await finishWorktree(worktree, {
        message,
        result: task.git?.result ?? 'commit',
        patchPath,
        mayMerge,
      });
      const failed = ended.failure === undefined ? {} : { outcome: 'failed' as const, reason: ended.failure };
      return { ...result, ...failed, git: ended.git, finishedAt: Date.now() };
    } catch (error) {
      log.warn({ taskId: task.id, error: String(error) }, 'the work could not be committed');
      return {
        ...result,
        outcome: 'failed',
        reason: (error as Error).message,
        git: await leaveWorktree(worktree),
      };
    }
  }

  /** A command must not loosen its own sandbox for the next start of the tree. */
  #configFile(): string[] {
    const path = join(this.#options.folder.project, configFileName);
    return existsSync(path) ? [path] : [];
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

  #watchLease(running: Running, expiresAt: number): void {
    clearTimeout(running.leaseTimer);
    const end = () => this.#end(running.lease, 'lost', 'the lease could not be renewed');
    running.leaseTimer = setTimeout(end, Math.max(0, expiresAt - Date.now()));
  }

  #end(lease: string, outcome: 'cancelled' | 'lost', reason: string): void {
    const running = this.#running;
    if (running?.lease !== lease || running.verdict) return;
    running.verdict = { outcome, reason };
    this.#options.log.info({ lease, outcome, reason }, 'ending the command');
    running.abort.abort(reason);
  }
}
