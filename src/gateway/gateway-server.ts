import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { readBounded } from '../protocol/bounded-body.ts';
import { asElderError, ElderError } from '../protocol/errors.ts';
import { askRequest, gatewayRoutes } from '../protocol/local-api.ts';
import { safeCheck } from '../protocol/safe-check.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Events } from './events.ts';
import type { Gateway } from './gateway.ts';
import { watchDirective } from './watch.ts';

const maxBodyBytes = 4_194_304;

const statusByCode: Partial<Record<ElderError['code'], number>> = {
  denied: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  timed_out: 504,
  not_implemented: 501,
  internal: 500,
};

async function jsonBody(request: IncomingMessage): Promise<unknown> {
  const text = await readBounded(request, maxBodyBytes);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ElderError('malformed', 'the body is not JSON', { cause });
  }
}

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

  constructor(gateway: Gateway, events: Events, log: Logger) {
    this.#gateway = gateway;
    this.#events = events;
    this.#log = log;
    const limits = { requestTimeout: 30_000, headersTimeout: 5_000, maxHeaderSize: 8_192 };
    this.#server = createServer(limits, (request, response) => void this.#respond(request, response));
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
      await this.#route(request, response, gone.signal);
    } catch (thrown) {
      const error = asElderError(thrown);
      if (error.code === 'internal')
        this.#log.error({ error: error.message, stack: error.stack }, 'request failed');
      if (!response.headersSent) {
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
        const checked = safeCheck(askRequest, await jsonBody(request));
        if (!checked.ok) throw new ElderError('malformed', checked.reason);
        json({ result: await this.#gateway.ask(checked.value, signal) });
        return;
      }
      case gatewayRoutes.view:
        json(await this.#gateway.view(directiveOf(url), signal));
        return;
      case gatewayRoutes.watch: {
        const changes = watchDirective(this.#gateway, this.#events, directiveOf(url), signal);
        for await (const change of changes) {
          if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' });
          if (!response.write(`${JSON.stringify(change)}\n`)) await once(response, 'drain', { signal });
        }
        response.end();
        return;
      }
      default:
        throw new ElderError('not_found', `${request.method} ${url.pathname}`);
    }
  }
}
