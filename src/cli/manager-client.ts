import { z } from 'zod';
import { ElderError } from '../protocol/errors.ts';
import {
  type DeadLetterView,
  deadLetterView,
  type ManagerEvent,
  managerEvent,
  managerRoutes,
  type ShownMessage,
  shownMessage,
  type TracedMessage,
  tracedMessage,
} from '../protocol/local-api.ts';
import { type TreeStatus, treeStatus } from '../protocol/process.ts';
import type { StateFolder } from '../protocol/state-folder.ts';
import { call, type LocalRequest, SocketAway, stream } from './local-client.ts';

const answerMs = 35_000;
const traceAnswer = z.object({ messages: z.array(tracedMessage) });
const lettersAnswer = z.object({ letters: z.array(deadLetterView) });

/** Talks to the manager of a tree. Every method throws `not_running` when there is none. */
export class ManagerClient {
  readonly #folder: StateFolder;
  readonly #signal: AbortSignal;
  readonly #timeoutMs: number;

  constructor(folder: StateFolder, signal: AbortSignal, timeoutMs = answerMs) {
    this.#folder = folder;
    this.#signal = signal;
    this.#timeoutMs = timeoutMs;
  }

  async status(): Promise<TreeStatus> {
    return this.#parse(treeStatus, await this.#call({ route: managerRoutes.status }));
  }

  /** Gives the messages of a story in causal order. */
  async trace(correlation: string): Promise<TracedMessage[]> {
    const answer = await this.#call({ route: managerRoutes.trace, query: { correlation } });
    return this.#parse(traceAnswer, answer).messages;
  }

  async message(id: string): Promise<ShownMessage> {
    return this.#parse(shownMessage, await this.#call({ route: managerRoutes.message, query: { id } }));
  }

  /** Lists all dead letters, the newest first. */
  async deadLetters(): Promise<DeadLetterView[]> {
    return this.#parse(lettersAnswer, await this.#call({ route: managerRoutes.deadLetters })).letters;
  }

  /** Finds one dead letter. Throws `not_found`. */
  async deadLetter(id: string): Promise<DeadLetterView> {
    return this.#parse(deadLetterView, await this.#call({ route: managerRoutes.deadLetter, query: { id } }));
  }

  /** Has the tree stopped and yields what happens until it is. */
  async *shutdown(mode: 'drain' | 'kill'): AsyncGenerator<ManagerEvent, void> {
    try {
      const lines = stream(this.#request({ route: managerRoutes.shutdown, body: { mode } }));
      for await (const line of lines) yield this.#parse(managerEvent, line);
    } catch (error) {
      throw this.#notRunning(error);
    }
  }

  async #call(request: Pick<LocalRequest, 'route' | 'query' | 'body'>): Promise<unknown> {
    try {
      return await call(this.#request(request));
    } catch (error) {
      throw this.#notRunning(error);
    }
  }

  #request(request: Pick<LocalRequest, 'route' | 'query' | 'body'>): LocalRequest {
    return {
      ...request,
      socket: this.#folder.managerSocket,
      timeoutMs: this.#timeoutMs,
      signal: this.#signal,
    };
  }

  #notRunning(error: unknown): unknown {
    if (!(error instanceof SocketAway)) return error;
    return new ElderError('not_running', `no manager runs the tree in ${this.#folder.project}`, {
      cause: error,
    });
  }

  #parse<T>(schema: z.ZodType<T>, answer: unknown): T {
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new ElderError(
      'internal',
      `the manager's answer is not understood: ${z.prettifyError(parsed.error)}`,
    );
  }
}
