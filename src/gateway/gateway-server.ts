import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { bodyReader } from '../protocol/bounded-body.ts';
import { asElderError, ElderError } from '../protocol/errors.ts';
import { type PortLimits, portLimits, serverLimits } from '../protocol/limits.ts';
import { askRequest, gatewayRoutes } from '../protocol/local-api.ts';
import { RateLimit } from '../protocol/rate-limit.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Events } from './events.ts';
import type { Gateway } from './gateway.ts';
import { watchDirective } from './watch.ts';

const statusByCode: Partial<Record<ElderError['code'], number>> = {
  denied: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  rate_limited: 429,
  timed_out: 504,
  not_implemented: 501,
  internal: 500,
};

function directiveOf(url: URL): string {
  const id = url.searchParams.get('id');
  if (!id) throw new ElderError('malformed', 'no directive id is given');
  return id;
}

/** Serves the human's work on a Unix socket that only its owner can open. */
export class GatewayServer {
  readonly #gateway: Gateway;
  readonly #events: Events;
  readonly #log: Logger;
  readonly #server: Server;
  readonly #limits: PortLimits;
  readonly #rate: RateLimit;

  constructor(gateway: Gateway, events: Events, log: Logger, limits: PortLimits = portLimits.gateway) {
    this.#gateway = gateway;
    this.#events = events;
    this.#log = log;
    this.#limits = limits;
    this.#rate = new RateLimit(limits);
    this.#server = createServer(
      serverLimits(limits),
      (request, response) => void this.#respond(request, response),
    );
    this.#server.maxConnections = limits.connections;
    this.#server.on('clientError', (_, socket) => socket.destroy());
  }

  /** Listens; a socket left behind by a predecessor, which cannot be alive, is replaced. */
  async listen(path: string): Promise<void> {
    await rm(path, { force: true });
    this.#server.listen(path);
    await once(this.#server, 'listening');
    await chmod(path, 0o600);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    try {
      // Whoever can open the socket is one source: the human.
      this.#rate.take('this socket');
      await this.#route(request, response, gone.signal);
    } catch (thrown) {
      const error = asElderError(thrown);
      if (error.code === 'internal')
        this.#log.error({ error: error.message, stack: error.stack }, 'request failed');
      if (!response.headersSent) {
        // Whatever of a body was not read must not be waited for.
        if (!request.complete) response.shouldKeepAlive = false;
        response.writeHead(statusByCode[error.code] ?? 400, { 'content-type': 'application/json' });
      }
      response.end(`${JSON.stringify({ error })}\n`);
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const url = URL.parse(request.url ?? '/', 'http://gateway');
    if (url === null) throw new ElderError('malformed', 'the path cannot be read');
    const route = Object.values(gatewayRoutes).find(
      ({ method, path }) => method === request.method && path === url.pathname,
    );
    const json = (value: unknown) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    switch (route) {
      case gatewayRoutes.ask: {
        const asked = await bodyReader(request, this.#limits, 'malformed')(askRequest);
        json({ result: await this.#gateway.ask(asked, signal) });
        return;
      }
      case gatewayRoutes.view:
        json(await this.#gateway.view(directiveOf(url), signal));
        return;
      case gatewayRoutes.watch: {
        const changes = watchDirective(this.#gateway, this.#events, directiveOf(url), signal);
        for await (const change of changes) {
          if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' });
          // An empty line says nothing but that this process lives.
          const line = change === null ? '\n' : `${JSON.stringify(change)}\n`;
          if (!response.write(line)) await once(response, 'drain', { signal });
        }
        response.end();
        return;
      }
      default:
        throw new ElderError('not_found', `${request.method} ${url.pathname}`);
    }
  }
}
