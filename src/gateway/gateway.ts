import { randomUUID } from 'node:crypto';
import type { Agent } from '../agents/agent.ts';
import type { Effect, Json } from '../agents/core.ts';
import type { Action, PayloadInput, ReplyOf } from '../protocol/actions.ts';
import {
  type DirectiveRecord,
  type DirectiveView,
  inWrittenOrder,
  type TaskRecord,
} from '../protocol/directive.ts';
import { ElderError, fromWireError } from '../protocol/errors.ts';
import type { ParsedAsk } from '../protocol/local-api.ts';
import type { AnsweredEffect, AskAnswer } from './gateway-core.ts';

/** The answer of the core is awaited this much longer than the deadline that the core itself keeps (ms). */
const graceMs = 2_000;
const queryMs = 10_000;

/** What the tasks of a directive look like since a revision. */
export interface TaskChanges {
  readonly summary: Record<string, number>;
  readonly revision: number;
  readonly tasks: TaskRecord[];
  readonly forecast: DirectiveView['forecast'];
}

/** The asking side of the gateway within its process: turns requests into inputs of the core and waits for the answers. */
export class Gateway {
  readonly #waiting = new Map<string, Set<(answer: AskAnswer) => void>>();
  #agent: Agent | null = null;

  /** Connects this gateway with the agent that runs its core. */
  attach(agent: Agent): void {
    this.#agent = agent;
  }

  /** Receives what the core wants done; the `perform` of its agent. */
  perform(effect: Effect): void {
    if (effect.kind !== 'answered') return;
    const { key, answer } = effect as AnsweredEffect;
    for (const resolve of this.#waiting.get(key) ?? []) resolve(answer);
    this.#waiting.delete(key);
  }

  /** Asks, and resolves with the result. Throws the error of the elder that answered, `timed_out`, or `interrupted` on abort. */
  async ask(input: ParsedAsk, signal: AbortSignal): Promise<Json> {
    const agent = this.#agent;
    if (!agent) throw new ElderError('not_running', 'the gateway has not started yet');
    const { promise, resolve, reject } = Promise.withResolvers<AskAnswer>();
    const key = input.idempotencyKey;
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting.add(resolve));
    const late = new ElderError('timed_out', `${input.target} did not answer ${input.action} in time`);
    const timer = setTimeout(() => reject(late), input.timeoutMs + graceMs);
    const abort = () => reject(new ElderError('interrupted', 'the caller went away'));
    signal.addEventListener('abort', abort, { once: true });
    try {
      const accepted = (await Promise.race([
        agent.input({ kind: 'ask', ...input }, { whenFull: 'fail' }),
        promise,
      ])) as {
        answer?: AskAnswer | null;
      } & Partial<AskAnswer>;
      const answer = accepted.answer ?? (await promise);
      if ('error' in answer) throw fromWireError(answer.error);
      return answer.result;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      waiting.delete(resolve);
      if (waiting.size === 0 && this.#waiting.get(key) === waiting) {
        this.#waiting.delete(key);
        // An agent that stops has no use for it; the question then ends at its deadline.
        if (signal.aborted) agent.input({ kind: 'withdraw', key }).catch(() => {});
      }
    }
  }

  /** Asks for something that may be asked as often as one likes. */
  async query<A extends Action>(
    target: string,
    action: A,
    payload: PayloadInput<A>,
    signal: AbortSignal,
  ): Promise<ReplyOf<A>> {
    const request = {
      target,
      action,
      payload: payload as ParsedAsk['payload'],
      idempotencyKey: `query-${randomUUID()}`,
      priority: 7,
      timeoutMs: queryMs,
    };
    return (await this.ask(request, signal)) as ReplyOf<A>;
  }

  /** Gives the tasks that changed after a revision; none while the task sage does not have the directive. */
  async tasksSince(directiveId: string, since: number, signal: AbortSignal): Promise<TaskChanges> {
    const tasks: TaskRecord[] = [];
    let revision = since;
    for (;;) {
      try {
        const page = await this.query(
          'task_sage',
          'sage.task.graph',
          { directiveId, since: revision },
          signal,
        );
        tasks.push(...page.tasks);
        revision = page.revision;
        if (!page.more) return { summary: page.summary, revision, tasks, forecast: page.forecast };
      } catch (error) {
        if (error instanceof ElderError && error.code === 'not_found')
          return { summary: {}, revision, tasks, forecast: null };
        throw error;
      }
    }
  }

  /** Gives the record of a directive. */
  record(directiveId: string, signal: AbortSignal): Promise<DirectiveRecord> {
    return this.query('grand_elder', 'development.directive.show', { directiveId }, signal);
  }

  /** Gives a directive with all its tasks in the order of their file. */
  async view(directiveId: string, signal: AbortSignal): Promise<DirectiveView> {
    const record = await this.record(directiveId, signal);
    const { tasks, forecast } = await this.tasksSince(directiveId, 0, signal);
    const latest = new Map(tasks.map((task) => [task.id, task]));
    return { ...record, tasks: inWrittenOrder(latest.values()), forecast };
  }
}
