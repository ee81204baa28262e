import { z } from 'zod';
import { type AuditHead, auditHead } from '../../protocol/audit.ts';
import {
  type CertificateList,
  type CertificateRevocation,
  type CertificateRotation,
  type CertificateRotationRequest,
  certificateList,
  certificateRevocation,
  certificateRotation,
  type ProcessHealth,
  processHealth,
} from '../../protocol/certificates.ts';
import { ElderError, fromWireError } from '../../protocol/errors.ts';
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
} from '../../protocol/local-api.ts';
import {
  type ElderDescription,
  elderDescription,
  type TreeMeasure,
  treeMeasure,
} from '../../protocol/operations.ts';
import { type TreeStatus, treeStatus } from '../../protocol/process.ts';
import { type ScaleRequest, type ScaleState, scaleState } from '../../protocol/scaling.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import { call, type LocalRequest, SocketAway, stream } from './local-client.ts';

const answerMs = 35_000;
/** Last line of an operation. */
const operationEnd = z.union([
  z.strictObject({ done: z.unknown() }),
  z.strictObject({
    error: z.object({ code: z.string(), reason: z.string(), detail: z.unknown().optional() }),
  }),
]);
const traceAnswer = z.object({ messages: z.array(tracedMessage) });
const auditAnchorAnswer = z.object({ anchor: auditHead.nullable() });
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

  async certificates(): Promise<CertificateList> {
    return this.#parse(certificateList, await this.#call({ route: managerRoutes.certificates }));
  }

  /** Resolves when it is done; throws `timed_out` earlier, and the replacement of an authority goes on then. */
  async rotateCertificates(body: CertificateRotationRequest): Promise<CertificateRotation> {
    return this.#parse(
      certificateRotation,
      await this.#call({ route: managerRoutes.rotateCertificates, body }),
    );
  }

  async revokeCertificates(name: string, restart: boolean): Promise<CertificateRevocation> {
    const answer = await this.#call({ route: managerRoutes.revokeCertificates, body: { name, restart } });
    return this.#parse(certificateRevocation, answer);
  }

  /** Throws `not_found` for an unknown process. */
  async health(name: string): Promise<ProcessHealth> {
    return this.#parse(processHealth, await this.#call({ route: managerRoutes.health, query: { name } }));
  }

  /** Gives the last record of the audit log that Redis knows; `null` where it knows none. */
  async auditAnchor(): Promise<AuditHead | null> {
    return this.#parse(auditAnchorAnswer, await this.#call({ route: managerRoutes.auditAnchor })).anchor;
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

  /** Tells all that is known of one elder. Throws `not_found`. */
  async describe(name: string): Promise<ElderDescription> {
    return this.#parse(elderDescription, await this.#call({ route: managerRoutes.elder, query: { name } }));
  }

  /** Measures what every process has used and done so far. */
  async measure(): Promise<TreeMeasure> {
    return this.#parse(treeMeasure, await this.#call({ route: managerRoutes.measure }));
  }

  /** Has new processes put in the place of elders (`null`: of all) and tells what happens; throws what hindered it. */
  async restart(names: readonly string[] | null, onEvent: (event: ManagerEvent) => void): Promise<void> {
    await this.#operate({ route: managerRoutes.restart, body: { names } }, onEvent);
  }

  /** Has the changed configuration put in force and tells what happens; resolves to the settings that changed. */
  async reload(onEvent: (event: ManagerEvent) => void): Promise<string[]> {
    return this.#parse(
      z.array(z.string()),
      await this.#operate({ route: managerRoutes.reload, body: {} }, onEvent),
    );
  }

  /** Tells how many servants there are. */
  async scaling(): Promise<ScaleState> {
    return this.#parse(scaleState, await this.#call({ route: managerRoutes.scaling }));
  }

  /** Has the number of servants changed and tells what happens; throws what hindered it. */
  async scale(body: ScaleRequest, onEvent: (event: ManagerEvent) => void): Promise<ScaleState> {
    return this.#parse(scaleState, await this.#operate({ route: managerRoutes.scale, body }, onEvent));
  }

  async #operate(
    request: Pick<LocalRequest, 'route' | 'body'>,
    onEvent: (event: ManagerEvent) => void,
  ): Promise<unknown> {
    try {
      for await (const line of stream(this.#request(request))) {
        const end = operationEnd.safeParse(line);
        if (!end.success) onEvent(this.#parse(managerEvent, line));
        else if ('error' in end.data) throw fromWireError(end.data.error);
        else return end.data.done;
      }
    } catch (error) {
      throw this.#notRunning(error);
    }
    throw new ElderError('interrupted', 'the manager ended before it was done');
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
