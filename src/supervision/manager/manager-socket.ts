import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { z } from 'zod';
import type { AuditHead } from '../../protocol/audit.ts';
import { bodyReader } from '../../protocol/bounded-body.ts';
import { asElderError, ElderError, type ErrorCode } from '../../protocol/errors.ts';
import { type PortLimits, portLimits, serverLimits } from '../../protocol/limits.ts';
import {
  type DeadLetterView,
  type ManagerEvent,
  managerRoutes,
  type ShownMessage,
  type TracedMessage,
} from '../../protocol/local-api.ts';
import type { TreeStatus } from '../../protocol/process.ts';
import { RateLimit } from '../../protocol/rate-limit.ts';
import { answerOperationRoute, type OperationControl } from '../operations/operation-routes.ts';
import { answerCertificateRoute, type CertificateControl } from './certificate-routes.ts';

/** What the socket offers, done by the manager. */
export interface ManagerControl {
  status(): TreeStatus;
  /** Begins to stop the tree; every event from now on goes to the listener, `tree_stopped` being the last. */
  shutdown(mode: 'drain' | 'kill', listener: (event: ManagerEvent) => void): void;
  trace(correlationId: string, signal: AbortSignal): Promise<TracedMessage[]>;
  message(id: string, signal: AbortSignal): Promise<ShownMessage>;
  auditAnchor(signal: AbortSignal): Promise<AuditHead | null>;
  deadLetters(signal: AbortSignal): Promise<DeadLetterView[]>;
  deadLetter(id: string, signal: AbortSignal): Promise<DeadLetterView>;
  readonly certificates: CertificateControl;
  readonly operations: OperationControl;
}

/** Body of a request to stop the tree. */
export const shutdownBody = z.strictObject({ mode: z.enum(['drain', 'kill']).default('drain') });
const answerMs = 30_000;
/** The kernel takes no longer path for a Unix socket. */
const maxPathBytes = 107;

const statusOf: Partial<Record<ErrorCode, number>> = {
  usage: 400,
  denied: 403,
  not_found: 404,
  too_large: 413,
  rate_limited: 429,
  internal: 500,
  not_implemented: 501,
  redis_unreachable: 503,
  timed_out: 504,
};

/** The manager's Unix socket: whoever may open it, the human only, commands the tree. */
export class ManagerSocket {
  readonly #server: Server;
  readonly #path: string;
  readonly #control: ManagerControl;
  readonly #limits: PortLimits;
  readonly #rate: RateLimit;

  private constructor(path: string, control: ManagerControl, limits: PortLimits) {
    this.#path = path;
    this.#control = control;
    this.#limits = limits;
    this.#rate = new RateLimit(limits);
    this.#server = createServer(
      serverLimits(limits),
      (request, response) => void this.#answer(request, response),
    );
    this.#server.maxConnections = limits.connections;
  }

  /**
   * Opens the socket at `path`, mode 0600; a stale one is replaced, so the caller must hold the manager's lock.
   * Throws `config_invalid` when the path is longer than the kernel allows.
   */
  static async open(
    path: string,
    control: ManagerControl,
    limits: PortLimits = portLimits.manager,
  ): Promise<ManagerSocket> {
    if (Buffer.byteLength(path) > maxPathBytes) {
      const reason = `${path} is longer than the ${maxPathBytes} bytes of a Unix socket; use a shorter folder`;
      throw new ElderError('config_invalid', reason);
    }
    await rm(path, { force: true });
    const socket = new ManagerSocket(path, control, limits);
    socket.#server.listen(path);
    await once(socket.#server, 'listening');
    await chmod(path, 0o600);
    return socket;
  }

  /** Removes the socket at once and takes no new requests; resolves when the answers under way are finished. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    rmSync(this.#path, { force: true });
    this.#server.closeIdleConnections();
    // A client that reads no more must not hold up the end of the manager.
    const timer = setTimeout(() => this.#server.closeAllConnections(), 2_000);
    await closed;
    clearTimeout(timer);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    try {
      // Whoever can open the socket is one source: the human.
      this.#rate.take('this socket');
      const url = URL.parse(request.url ?? '/', 'http://manager');
      if (url === null) throw new ElderError('usage', 'the path cannot be read');
      const read = bodyReader(request, this.#limits, 'usage');
      const is = (route: { method: string; path: string }) =>
        request.method === route.method && url.pathname === route.path;
      if (is(managerRoutes.status)) sendJson(response, 200, this.#control.status());
      else if (is(managerRoutes.shutdown)) {
        this.#shutdown((await read(shutdownBody)).mode, response);
      } else if (is(managerRoutes.trace)) {
        const correlation = requireParameter(url, 'correlation');
        const messages = await within(response, (signal) => this.#control.trace(correlation, signal));
        sendJson(response, 200, { messages });
      } else if (is(managerRoutes.message)) {
        const id = requireParameter(url, 'id');
        sendJson(response, 200, await within(response, (signal) => this.#control.message(id, signal)));
      } else if (is(managerRoutes.auditAnchor)) {
        const anchor = await within(response, (signal) => this.#control.auditAnchor(signal));
        sendJson(response, 200, { anchor });
      } else if (is(managerRoutes.deadLetters)) {
        const letters = await within(response, (signal) => this.#control.deadLetters(signal));
        sendJson(response, 200, { letters });
      } else if (is(managerRoutes.deadLetter)) {
        const id = requireParameter(url, 'id');
        sendJson(response, 200, await within(response, (signal) => this.#control.deadLetter(id, signal)));
      } else if (await answerOperationRoute(this.#control.operations, { request, response, url, read })) {
        // It has answered by itself.
      } else {
        const answer = await answerCertificateRoute(this.#control.certificates, { request, url, read });
        if (answer === undefined) {
          throw new ElderError('not_found', `no route ${request.method} ${url.pathname}`);
        }
        sendJson(response, 200, answer);
      }
    } catch (thrown) {
      const error = asElderError(thrown);
      // Whatever of a body was not read must not be waited for.
      if (!request.complete) response.shouldKeepAlive = false;
      if (response.headersSent) response.destroy();
      else sendJson(response, statusOf[error.code] ?? 409, { error: error.toJSON() });
    }
  }

  #shutdown(mode: z.output<typeof shutdownBody>['mode'], response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/x-ndjson', connection: 'close' });
    this.#control.shutdown(mode, (event) => {
      response.write(`${JSON.stringify(event)}\n`);
      if (event.kind === 'tree_stopped') response.end();
    });
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function requireParameter(url: URL, name: string): string {
  const value = url.searchParams.get(name);
  if (!value) throw new ElderError('usage', `the parameter ${name} is missing`);
  return value;
}

/** Runs a search that ends when it takes too long or nobody waits for it any more. */
async function within<T>(response: ServerResponse, search: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const gone = new AbortController();
  const leave = () => gone.abort();
  response.once('close', leave);
  const timeout = AbortSignal.timeout(answerMs);
  try {
    return await search(AbortSignal.any([gone.signal, timeout]));
  } catch (error) {
    if (timeout.aborted) throw new ElderError('timed_out', `no answer within ${answerMs} ms`);
    throw error;
  } finally {
    response.off('close', leave);
  }
}
