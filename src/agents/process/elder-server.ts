import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { z } from 'zod';
import type { Credentials } from '../../identity/credentials.ts';
import { type KeyPair, proveKey } from '../../identity/key-proof.ts';
import { secureContext, serverTls, socketPeer } from '../../identity/tls.ts';
import type { Challenge } from '../../protocol/bootstrap.ts';
import { readBounded } from '../../protocol/bounded-body.ts';
import { asElderError, ElderError } from '../../protocol/errors.ts';

const maxBodyBytes = 65_536;
const certificateBody = z.object({ certificate: z.string() });

export interface ElderServerOptions {
  readonly host: string;
  readonly port: number;
  readonly tree: string;
  readonly credentials: Credentials;
  readonly keys: KeyPair;
  readonly identity: Pick<Challenge, 'tree' | 'name' | 'incarnation'>;
  /** Why the elder cannot serve now, or `null`. */
  readonly notReady: () => string | null;
  readonly info: () => object;
  readonly metrics: () => Promise<{ type: string; text: string }>;
}

interface Reply {
  readonly status: number;
  readonly type?: string;
  readonly body: string;
}

const json = (status: number, value: unknown): Reply => ({ status, body: JSON.stringify(value) });

function certificateIn(body: string): string {
  try {
    return certificateBody.parse(JSON.parse(body)).certificate;
  } catch (cause) {
    throw new ElderError('malformed', 'no certificate in the body', { cause });
  }
}

function managerOnly(peer: string): void {
  if (peer !== 'manager')
    throw new ElderError('denied', `only the manager may renew certificates, not ${peer}`);
}

async function answer(options: ElderServerOptions, request: IncomingMessage): Promise<Reply> {
  const peer = socketPeer(request.socket as TLSSocket, options.tree);
  const url = URL.parse(request.url ?? '/', 'https://elder');
  if (url === null) throw new ElderError('malformed', 'the path cannot be read');
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /healthz':
      return json(200, { status: 'alive' });
    case 'GET /readyz': {
      const reason = options.notReady();
      return reason === null ? json(200, { status: 'ready' }) : json(503, { status: 'unready', reason });
    }
    case 'GET /metrics': {
      const { type, text } = await options.metrics();
      return { status: 200, type, body: text };
    }
    case 'GET /v1/info':
      return json(200, options.info());
    case 'GET /v1/certificate/request': {
      managerOnly(peer);
      const nonce = url.searchParams.get('nonce') ?? '';
      if (nonce === '') throw new ElderError('malformed', 'a certificate request needs a nonce');
      return json(200, proveKey(options.keys, { kind: 'challenge', ...options.identity, nonce }));
    }
    case 'PUT /v1/certificate': {
      managerOnly(peer);
      options.credentials.replace(certificateIn(await readBounded(request, maxBodyBytes)));
      return json(200, { expiresAt: options.credentials.expiresAt() });
    }
    default:
      return json(404, { error: { code: 'not_found', reason: `${request.method} ${url.pathname}` } });
  }
}

function statusOf(error: ElderError): number {
  if (error.code === 'denied') return 403;
  return error.code === 'internal' ? 500 : 400;
}

async function respond(
  options: ElderServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let reply: Reply;
  try {
    reply = await answer(options, request);
  } catch (thrown) {
    const error = asElderError(thrown);
    reply = json(statusOf(error), { error });
  }
  response.writeHead(reply.status, { 'content-type': reply.type ?? 'application/json; charset=utf-8' });
  response.end(reply.body);
}

/**
 * Serves health, readiness, metrics and identity over HTTPS with mutual TLS, and takes renewed certificates
 * from the manager. Throws `port_taken` when the port is not free.
 */
export async function listenElderServer(options: ElderServerOptions): Promise<Server> {
  const { credentials, host, port } = options;
  const limits = {
    requestTimeout: 10_000,
    headersTimeout: 5_000,
    maxHeaderSize: 8_192,
    keepAliveTimeout: 30_000,
  };
  const server = createServer({ ...serverTls(credentials.current()), ...limits }, (request, response) => {
    void respond(options, request, response);
  });
  // A peer that breaks its connection, or shows no certificate, is its own problem.
  server.on('clientError', (_, socket) => socket.destroy());
  server.on('tlsClientError', (_, socket) => socket.destroy());
  credentials.onReplace((identity) => server.setSecureContext(secureContext(identity)));
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    throw new ElderError('port_taken', `port ${port} on ${host} is taken`, { cause, detail: { port } });
  }
  return server;
}
