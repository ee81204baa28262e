import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { type Action, actionSpec, type PayloadInput, type ReplyOf } from '../../protocol/actions.ts';
import { type DirectiveView, directiveView, inWrittenOrder } from '../../protocol/directive.ts';
import { asElderError, ElderError, fromWireError } from '../../protocol/errors.ts';
import {
  type AskRequest,
  type DirectiveChange,
  directiveChange,
  gatewayRoutes,
  managerRoutes,
} from '../../protocol/local-api.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import { isFinalDirective } from '../../protocol/states.ts';
import { call, isListening, SocketAway, stream } from './local-client.ts';

const firstPauseMs = 50;
const longestPauseMs = 1_000;
/** The target's own deadline ends a little before ours, so that its reason arrives. */
const marginMs = 2_000;
/** How long an answer may take where nobody says otherwise. */
export const defaultAskMs = 30_000;

/** A gateway says something about a directive at least every few seconds; after so long nobody is there (ms). */
const usualQuietMs = 30_000;
/** How long nobody may answer before the manager is asked whether it sees to that (ms). */
const usualAwayMs = 60_000;
/** How long the manager has for an answer (ms). */
const managerMs = 10_000;

const streamError = z.object({
  error: z.object({ code: z.string(), reason: z.string(), detail: z.unknown().optional() }),
});

/** How a request is made. */
export interface AskOptions {
  readonly timeoutMs?: number | undefined;
  readonly priority?: number | undefined;
  /** The same key asks the same thing once. */
  readonly idempotencyKey?: string;
}

/** What the client needs to know. */
export interface GatewayClientOptions {
  readonly folder: StateFolder;
  readonly signal: AbortSignal;
  /** Told once each time the gateway is away and waited for. */
  readonly onAway?: () => void;
  /** How long (ms) a watch may hear nothing before it is opened anew. */
  readonly quietMs?: number;
  /** How long (ms) a watch waits for somebody to come back before it asks whether the manager is able to see to it. */
  readonly awayMs?: number;
}

/**
 * Talks to the gateway of a tree. Its process, the grand elder, may restart at any time: while a manager runs
 * (which will replace it), requests are repeated until their time is over. Throws `not_running` where nobody
 * will come back.
 */
export class GatewayClient {
  readonly #options: GatewayClientOptions;

  constructor(options: GatewayClientOptions) {
    this.#options = options;
  }

  /** Puts a request on an edge of the gateway's and gives the target's answer. */
  async ask<A extends Action>(
    target: string,
    action: A,
    payload: PayloadInput<A>,
    options: AskOptions = {},
  ): Promise<ReplyOf<A>> {
    const result = await this.askAny({ target, action, payload: payload as AskRequest['payload'] }, options);
    const schema = actionSpec(action).reply;
    return (schema === undefined ? result : understand(schema, result)) as ReplyOf<A>;
  }

  /** Asks something that need not be in this program's table. */
  async askAny(
    what: Pick<AskRequest, 'target' | 'action' | 'payload'>,
    options: AskOptions = {},
  ): Promise<unknown> {
    const { timeoutMs = defaultAskMs, priority, idempotencyKey = randomUUID() } = options;
    const body: AskRequest = {
      ...what,
      idempotencyKey,
      timeoutMs,
      ...(priority === undefined ? {} : { priority }),
    };
    const request = { route: gatewayRoutes.ask, body };
    return understand(z.object({ result: z.unknown() }), await this.#persist(request, timeoutMs + marginMs))
      .result;
  }

  /** Gives a directive and its tasks as they are now. */
  async view(id: string): Promise<DirectiveView> {
    const request = { route: gatewayRoutes.view, query: { id } };
    return understand(directiveView, await this.#persist(request, defaultAskMs + marginMs));
  }

  /**
   * Yields a directive each time it changes and returns once it has ended. A stream that breaks, or falls silent, is opened
   * again; it starts with all tasks, so nothing is missed. Throws `timed_out` when nobody answers and the manager, which
   * would see to it, does not either: a stopped one listens, but for ever.
   */
  async *watch(id: string): AsyncGenerator<DirectiveView, void> {
    const { signal, onAway, quietMs = usualQuietMs, awayMs = usualAwayMs } = this.#options;
    let heardAt = performance.now();
    for (let pause = firstPauseMs; ; pause = Math.min(longestPauseMs, pause * 2)) {
      const tasks = new Map<string, DirectiveView['tasks'][number]>();
      try {
        const lines = stream({
          ...this.#place(),
          route: gatewayRoutes.watch,
          query: { id },
          timeoutMs: quietMs,
          quietMs,
        });
        for await (const line of lines) {
          pause = firstPauseMs;
          heardAt = performance.now();
          // An error that befalls a stream under way comes as its last line.
          const refusal = streamError.safeParse(line);
          if (refusal.success) throw fromWireError(refusal.data.error);
          const change: DirectiveChange = understand(directiveChange, line);
          for (const task of change.tasks) tasks.set(task.id, task);
          yield { ...change.directive, tasks: inWrittenOrder(tasks.values()), forecast: change.forecast };
          if (isFinalDirective(change.directive.state)) return;
        }
      } catch (error) {
        await this.#throwUnlessPassing(error);
        if (performance.now() - heardAt > awayMs) {
          await this.#askManager(id);
          heardAt = performance.now();
        }
      }
      if (pause === firstPauseMs) onAway?.();
      await delay(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  /** Throws `timed_out` unless the manager answers. */
  async #askManager(id: string): Promise<void> {
    const { folder, signal } = this.#options;
    const request = { socket: folder.managerSocket, route: managerRoutes.status, signal };
    try {
      await call({ ...request, timeoutMs: managerMs });
    } catch (error) {
      const isSilent = error instanceof SocketAway || asElderError(error).code === 'timed_out';
      if (!isSilent) return;
      const reason = `neither the gateway nor the manager answers; directive ${id} goes on once they do`;
      throw new ElderError('timed_out', reason, { detail: { id }, cause: error });
    }
  }

  #place() {
    return { socket: this.#options.folder.gatewaySocket, signal: this.#options.signal };
  }

  async #persist(
    request: { route: { method: string; path: string }; query?: Record<string, string>; body?: unknown },
    timeoutMs: number,
  ): Promise<unknown> {
    const { signal, onAway } = this.#options;
    const deadline = performance.now() + timeoutMs;
    for (let pause = firstPauseMs; ; pause = Math.min(longestPauseMs, pause * 2)) {
      const rest = deadline - performance.now();
      if (rest <= 0) throw new ElderError('timed_out', `the gateway was away for ${timeoutMs} ms`);
      try {
        return await call({ ...this.#place(), ...request, timeoutMs: Math.ceil(rest) });
      } catch (error) {
        if (!(error instanceof SocketAway)) throw error;
        await this.#throwUnlessPassing(error);
      }
      if (pause === firstPauseMs) onAway?.();
      const wait = Math.max(0, Math.min(pause, deadline - performance.now()));
      await delay(wait, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  async #throwUnlessPassing(error: unknown): Promise<void> {
    if (error instanceof SocketAway) {
      const { folder } = this.#options;
      if (await isListening(folder.managerSocket)) return;
      throw new ElderError('not_running', `no tree runs in ${folder.project}`, { cause: error });
    }
    const known = asElderError(error);
    if (!known.canRetry || this.#options.signal.aborted) throw error;
  }
}

function understand<T>(schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new ElderError('internal', `the answer is not understood: ${z.prettifyError(parsed.error)}`);
}
