import assert from 'node:assert/strict';
import type { Core } from '../../../src/agents/core.ts';
import type { Assignment } from '../../../src/elders/servant/servant.ts';
import type { DirectiveRow } from '../../../src/elders/task/rows.ts';
import { storedTasks } from '../../../src/elders/task/stored-tasks.ts';
import { taskSage } from '../../../src/elders/task/task-sage.ts';
import type { Task } from '../../../src/elders/task/tasks.ts';
import type { AttemptResult, IncidentReport, PayloadOf, TaskOrder } from '../../../src/protocol/actions.ts';
import { type Config, configSchema } from '../../../src/protocol/config.ts';
import type { TaskSpec } from '../../../src/protocol/directive.ts';
import { possibleServantNames } from '../../../src/protocol/servant-pools.ts';
import { type Life, MemoryTree } from '../../support/memory-tree.ts';

/** The time of a lease in these tests (ms). */
export const leaseMs = 10_000;

const settings = {
  servantKinds: { builder: {}, guardian: { labels: ['gpu'] } },
  assignKinds: ['builder', 'guardian'],
  tasks: {
    keepDirectives: 3,
    lease: `${leaseMs}ms`,
    retryDelay: '1s',
    lostAttempts: 3,
    killGrace: '100ms',
  },
  supervision: { livenessDeadline: '500ms' },
};
const sage = 'task_sage';

/** The task sage with everybody around it played by the test. */
export class TaskBench {
  readonly tree = new MemoryTree();
  life: Life | undefined;
  readonly #config: Config;
  #incarnations = 0;
  #revision = 0;

  /** `more` is put beside the settings that all these tests share. */
  constructor(more: object = {}) {
    this.#config = configSchema.parse({ ...settings, ...more });
  }

  /** Starts the sage, or one that was changed. */
  async start(change: (core: Core) => Core = (core) => core): Promise<this> {
    const ofGroups = possibleServantNames({ ...this.#config, servants: 2 }).slice(16);
    const servants = ['servant_1', 'servant_2', ...ofGroups];
    this.life = await this.tree.start(sage, change(taskSage(this.#config)), { servants });
    return this;
  }

  async create(directiveId: string, tasks: TaskSpec[]): Promise<void> {
    const payload = { directiveId, title: directiveId, workspace: '/work', tasks };
    await this.tree.send(this.tree.message('claude_elder', sage, 'sage.task.create', payload));
  }

  async createWith(directiveId: string, tasks: TaskSpec[], deadlineMs: number): Promise<void> {
    const payload = { directiveId, title: directiveId, workspace: '/work', tasks, deadlineMs };
    await this.tree.send(this.tree.message('claude_elder', sage, 'sage.task.create', payload));
  }

  async add(directiveId: string, tasks: TaskSpec[]): Promise<void> {
    await this.tree.send(this.tree.message('claude_elder', sage, 'sage.task.add', { directiveId, tasks }));
  }

  /** Has the sage pause, resume, retry or cancel; what it answers stands in `answers`. */
  async control(
    directiveId: string,
    order: Partial<TaskOrder> & Pick<TaskOrder, 'operation'>,
  ): Promise<void> {
    const payload = { directiveId, taskId: null, subtree: false, reason: 'so', ...order };
    await this.tree.send(this.tree.message('claude_elder', sage, 'sage.task.control', payload));
  }

  /** What the sage answered the claude elder, oldest first. */
  answers(): unknown[] {
    const replies = ['reply.result', 'reply.error'] as const;
    return replies.flatMap((action) =>
      this.tree.sentAs(sage, 'claude_elder', action).map(({ payload }) => payload as unknown),
    );
  }

  async cancel(directiveId: string): Promise<void> {
    const payload = { directiveId, reason: 'changed my mind' };
    await this.tree.send(this.tree.message('claude_elder', sage, 'sage.task.cancel', payload));
  }

  /** Has the manager name the servants that are given tasks. */
  async name(members: string[], watch = false): Promise<void> {
    this.#revision += 1;
    const payload = { revision: this.#revision, members, watch };
    await this.tree.send(this.tree.message('manager', sage, 'sage.task.servants', payload));
  }

  async available(...servants: string[]): Promise<void> {
    for (const servant of servants) {
      this.#incarnations += 1;
      const payload = { incarnation: this.#incarnations };
      await this.tree.send(this.tree.message(servant, sage, 'report.to_sage.available', payload));
    }
  }

  /** Everything that a servant was ever assigned, in order of urgency. */
  assigned(servant: string): Assignment[] {
    const sent = this.tree.sentAs(sage, servant, 'sage.task.assign');
    return sent.map(({ payload }) => payload as unknown as Assignment);
  }

  /** What a servant was assigned under the lease that it holds now. */
  current(servant: string): Assignment | undefined {
    const rows = this.tree.store.snapshot(sage).fields;
    const { lease } = JSON.parse(rows.get(`servants/${servant}`) ?? '{}') as { lease?: string };
    return this.assigned(servant).find((assignment) => assignment.lease === lease);
  }

  revoked(servant: string): PayloadOf<'sage.task.revoke'>[] {
    const sent = this.tree.sentAs(sage, servant, 'sage.task.revoke');
    return sent.map(({ payload }) => payload as unknown as PayloadOf<'sage.task.revoke'>);
  }

  /** What a servant was handed ahead and has not begun as far as the sage knows. */
  ahead(servant: string): Assignment | undefined {
    const rows = this.tree.store.snapshot(sage).fields;
    const { ahead } = JSON.parse(rows.get(`servants/${servant}`) ?? '{}') as { ahead?: string };
    return this.assigned(servant).find(({ lease }) => lease === ahead);
  }

  /** The leases that a servant was asked to give back. */
  recalled(servant: string): unknown[] {
    return this.tree.sentAs(sage, servant, 'sage.task.recall').map(({ payload }) => payload.lease);
  }

  /** A servant gives back what it has not begun. */
  async giveBack(servant: string, { lease }: Assignment): Promise<void> {
    await this.tree.send(this.tree.message(servant, sage, 'report.to_sage.attempt_returned', { lease }));
  }

  async begin(servant: string): Promise<void> {
    const { directiveId, task, lease, attempt } = this.#held(servant);
    const payload = { directiveId, taskId: task.id, lease, attempt, startedAt: this.tree.clock.now() };
    await this.tree.send(this.tree.message(servant, sage, 'report.to_sage.attempt_started', payload));
  }

  async renew(servant: string): Promise<void> {
    const { lease } = this.#held(servant);
    await this.tree.send(this.tree.message(servant, sage, 'report.to_sage.lease_renewed', { lease }));
  }

  /** A servant reports how an attempt ended, by default the one it holds, with success. */
  async finish(
    servant: string,
    changes: Partial<AttemptResult> = {},
    assignment: Assignment = this.#held(servant),
  ): Promise<void> {
    const { directiveId, task, lease, attempt } = assignment;
    const exitCode = { succeeded: 0, failed: 1 }[changes.outcome as string] ?? null;
    const finishedAt = this.tree.clock.now();
    const result: AttemptResult = {
      directiveId,
      taskId: task.id,
      lease,
      attempt,
      outcome: 'succeeded',
      exitCode: changes.outcome === undefined ? 0 : exitCode,
      signal: null,
      startedAt: finishedAt,
      finishedAt,
      reason: null,
      output: null,
      ...changes,
    };
    await this.tree.send(this.tree.message(servant, sage, 'report.to_sage.attempt_finished', result));
  }

  tasks(): Map<string, Task> {
    return storedTasks(this.tree.store.snapshot(sage).fields);
  }

  task(name: string): Task {
    const task = this.tasks().get(name);
    assert.ok(task, `the sage has no task ${name}`);
    return task;
  }

  /** States of the tasks of a directive by id. */
  states(directiveId: string): Record<string, string> {
    const tasks = [...this.tasks().values()].filter((task) => task.directiveId === directiveId);
    return Object.fromEntries(tasks.map(({ id, state }) => [id, state]));
  }

  graph(directiveId: string): DirectiveRow | undefined {
    return this.tree.rows<DirectiveRow>(sage, 'directives').find(({ id }) => id === directiveId);
  }

  /** The reports of finished graphs. */
  finished(): PayloadOf<'report.to_elder.graph_finished'>[] {
    const sent = this.tree.sentAs(sage, 'claude_elder', 'report.to_elder.graph_finished');
    return sent.map(({ payload }) => payload as unknown as PayloadOf<'report.to_elder.graph_finished'>);
  }

  incidents(): IncidentReport[] {
    const sent = this.tree.sentAs(sage, 'incident_sage', 'incident.raise');
    return sent.map(({ payload }) => payload as unknown as IncidentReport);
  }

  #held(servant: string): Assignment {
    const held = this.current(servant);
    assert.ok(held, `${servant} holds nothing`);
    return held;
  }
}
