import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { z } from 'zod';
import type { Credentials } from '../../identity/credentials.ts';
import { createKeyPair, type KeyPair, proveKey } from '../../identity/key-proof.ts';
import { secureContext, serverTls, socketPeer } from '../../identity/tls.ts';
import type { Challenge } from '../../protocol/bootstrap.ts';
import { bodyReader } from '../../protocol/bounded-body.ts';
import { asElderError, ElderError } from '../../protocol/errors.ts';
import { type PortLimits, portLimits, serverLimits } from '../../protocol/limits.ts';
import { RateLimit } from '../../protocol/rate-limit.ts';
import { ConnectionGuard } from './connection-guard.ts';
import { boundHandshakes } from './pending-handshakes.ts';

const certificateBody = z.strictObject({ certificate: z.string().max(16_384) });
const trustBody = z.strictObject({
  ca: z.string().max(65_536),
  revoked: z.array(z.string().regex(/^[0-9A-F]{1,64}$/)),
});

export interface ElderServerOptions {
  readonly host: string;
  readonly port: number;
  readonly tree: string;
  readonly credentials: Credentials;
  readonly identity: Pick<Challenge, 'tree' | 'name' | 'incarnation'>;
  /** Why the elder cannot serve now, or `null`. */
  readonly notReady: () => string | null;
  readonly info: () => object;
  readonly metrics: () => Promise<{ type: string; text: string }>;
  /** Age in ms at which a connection is closed; for ever when left out. */
  readonly connectionAgeMs?: number;
  /** Told who asks, before each answer. */
  readonly onRequest?: (peer: string) => void;
  /** Told whom this server refused and why. */
  readonly onRefused?: (refusal: Refusal) => void;
  readonly limits?: PortLimits;
  /** Tells who a peer is; another than `socketPeer` is for tests of what that guards. */
  readonly identify?: typeof socketPeer;
}

/** A connection or a request that was refused. */
export interface Refusal {
  /** Who asked, as far as that can be told. */
  readonly source: string | null;
  /** Serial number of the certificate shown, if any. */
  readonly serial: string | null;
  /** Method and path, or `connect`. */
  readonly action: string;
  readonly reason: string;
}

/** What a server needs to answer, made once. */
interface Desk extends ElderServerOptions {
  readonly limits: PortLimits;
  readonly rate: RateLimit;
  readonly peerOf: (socket: TLSSocket) => string;
  /** The key pair made for the last request for a certificate, until that has come. */
  pendingKeys: KeyPair | null;
}

interface Reply {
  readonly status: number;
  readonly type?: string;
  readonly body: string;
}

const json = (status: number, value: unknown): Reply => ({ status, body: JSON.stringify(value) });

function managerOnly(peer: string): void {
  if (peer !== 'manager')
    throw new ElderError('denied', `only the manager may change credentials, not ${peer}`);
}

async function answer(desk: Desk, request: IncomingMessage): Promise<Reply> {
  const peer = desk.peerOf(request.socket as TLSSocket);
  desk.rate.take(peer);
  desk.onRequest?.(peer);
  const url = URL.parse(request.url ?? '/', 'https://elder');
  if (url === null) throw new ElderError('malformed', 'the path cannot be read');
  const read = bodyReader(request, desk.limits, 'malformed');
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /healthz':
      return json(200, { status: 'alive' });
    case 'GET /readyz': {
      const reason = desk.notReady();
      return reason === null ? json(200, { status: 'ready' }) : json(503, { status: 'unready', reason });
    }
    case 'GET /metrics': {
      const { type, text } = await desk.metrics();
      return { status: 200, type, body: text };
    }
    case 'GET /v1/info':
      return json(200, desk.info());
    case 'GET /v1/certificate/request': {
      managerOnly(peer);
      const nonce = url.searchParams.get('nonce') ?? '';
      if (nonce === '') throw new ElderError('malformed', 'a certificate request needs a nonce');
      // Each certificate has a key of its own: one that was stolen is of no use beyond the certificate's life.
      desk.pendingKeys = createKeyPair();
      return json(200, proveKey(desk.pendingKeys, { kind: 'challenge', ...desk.identity, nonce }));
    }
    case 'PUT /v1/certificate': {
      managerOnly(peer);
      const { certificate } = await read(certificateBody);
      desk.credentials.replace(certificate, desk.pendingKeys?.privateKey);
      desk.pendingKeys = null;
      return json(200, { expiresAt: desk.credentials.expiresAt() });
    }
    case 'PUT /v1/trust': {
      managerOnly(peer);
      const { ca, revoked } = await read(trustBody);
      desk.credentials.replaceTrust({ ca, revoked });
      return json(200, { revoked: revoked.length });
    }
    default:
      return json(404, { error: { code: 'not_found', reason: `${request.method} ${url.pathname}` } });
  }
}

const statusByCode: Partial<Record<ElderError['code'], number>> = {
  denied: 403,
  too_large: 413,
  rate_limited: 429,
  internal: 500,
};

async function respond(desk: Desk, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // Refused while it connected: what it sent along is not looked at.
  if (request.socket.destroyed) return;
  let reply: Reply;
  try {
    reply = await answer(desk, request);
  } catch (thrown) {
    const error = asElderError(thrown);
    if (error.code === 'denied' || error.code === 'rate_limited') {
      const socket = request.socket as TLSSocket;
      desk.onRefused?.(refusalOf(desk, socket, `${request.method} ${request.url}`, error));
    }
    reply = json(statusByCode[error.code] ?? 400, { error });
  }
  // Whatever of a body was not read must not be waited for.
  if (!request.complete) response.shouldKeepAlive = false;
  response.writeHead(reply.status, { 'content-type': reply.type ?? 'application/json; charset=utf-8' });
  response.end(reply.body);
}

function refusalOf(desk: Desk, socket: TLSSocket, action: string, error: unknown): Refusal {
  let source: string | null = null;
  try {
    source = desk.peerOf(socket);
  } catch {
    // Nobody of this tree.
  }
  const serial = socket.getPeerX509Certificate()?.serialNumber ?? null;
  return { source, serial, action: action.slice(0, 200), reason: asElderError(error).reason };
}

/**
 * Serves health, readiness, metrics and identity over HTTPS with mutual TLS, and takes renewed certificates and
 * changes of trust from the manager: a peer that is trusted no more loses its connection at once. Throws
 * `port_taken` when the port is not free.
 */
export async function listenElderServer(options: ElderServerOptions): Promise<Server> {
  const { credentials, host, port, limits = portLimits.elder, identify = socketPeer } = options;
  const desk: Desk = {
    ...options,
    limits,
    rate: new RateLimit(limits),
    peerOf: (socket) => identify(socket, options.tree, (serial) => credentials.trust.isRevoked(serial)),
    pendingKeys: null,
  };
  const tls = { ...serverTls(credentials.current()), handshakeTimeout: limits.handshakeMs };
  const server = createServer({ ...tls, ...serverLimits(limits) }, (request, response) => {
    void respond(desk, request, response);
  });
  // How many are served is the guard's to hold.
  server.maxConnections = limits.connections + limits.handshakes + 1;
  boundHandshakes(server, limits.handshakes);
  // A peer that breaks its connection, or shows no certificate, is its own problem.
  server.on('clientError', (_, socket) => socket.destroy());
  server.on('tlsClientError', (error, socket) => {
    socket.destroy();
    options.onRefused?.(refusalOf(desk, socket, 'connect', error));
  });
  const guard = new ConnectionGuard(server, {
    identify: desk.peerOf,
    judge: (certificate) => credentials.trust.require(certificate),
    maxAgeMs: options.connectionAgeMs ?? Infinity,
    max: limits.connections,
    maxPerSource: limits.connectionsPerSource,
    onRefused: (error, socket) => options.onRefused?.(refusalOf(desk, socket, 'connect', error)),
  });
  credentials.onReplace((identity) => server.setSecureContext(secureContext(identity)));
  credentials.onTrust(() => guard.sweep());
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    throw new ElderError('port_taken', `port ${port} on ${host} is taken`, { cause, detail: { port } });
  }
  return server;
}
