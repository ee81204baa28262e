import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { BlockList, connect, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { findAllowedHost } from '../../../protocol/network-host.ts';

/** Connections of one command at a time. */
const maxConnections = 128;
/** How long a host may take to be reached, and a connection may be silent, in ms. */
const connectMs = 20_000;
const silentMs = 300_000;

/** Places of this very host: a name that leads to one was not meant by who allowed the name. */
const ownPlaces = new BlockList();
ownPlaces.addSubnet('127.0.0.0', 8);
ownPlaces.addSubnet('169.254.0.0', 16);
ownPlaces.addAddress('0.0.0.0');
ownPlaces.addAddress('::', 'ipv6');
ownPlaces.addAddress('::1', 'ipv6');
ownPlaces.addSubnet('fe80::', 10, 'ipv6');

/** A proxy that lets one command reach named hosts, and nothing else. */
export interface HostProxy {
  /** Ends it with all its connections. */
  close(): Promise<void>;
}

class Refusal extends Error {}

/**
 * Opens a proxy for HTTP and, by CONNECT, for TLS at a Unix socket. Names are looked up here, so the sandbox
 * needs no name server. `onRefused` is told what was asked for in vain. Throws the system's error when it
 * cannot listen.
 */
export async function openHostProxy(options: {
  socketPath: string;
  hosts: readonly string[];
  onRefused: (host: string) => void;
}): Promise<HostProxy> {
  const { socketPath, hosts, onRefused } = options;
  const open = new Set<Duplex>();
  const keep = (socket: Duplex) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
  };
  const reach = async (name: string, port: number): Promise<string> => {
    const address = await allowedAddress(hosts, name, port);
    if (address === undefined) {
      onRefused(`${name}:${port}`);
      throw new Refusal(`${name}:${port} is not among the hosts of this task`);
    }
    return address;
  };
  const server = createServer((incoming, response) => void forward(incoming, response, reach));
  server.maxConnections = maxConnections;
  server.on('connection', keep);
  server.on('connect', (incoming: IncomingMessage, client: Duplex, head: Buffer) => {
    void tunnel(incoming, client, head, reach, keep);
  });
  rmSync(socketPath, { force: true });
  server.listen(socketPath);
  await once(server, 'listening');
  chmodSync(socketPath, 0o600);
  return {
    close: async () => {
      server.close();
      for (const socket of open) socket.destroy();
      if (server.listening) await once(server, 'close');
      rmSync(socketPath, { force: true });
    },
  };
}

type Reach = (name: string, port: number) => Promise<string>;

async function allowedAddress(
  hosts: readonly string[],
  name: string,
  port: number,
): Promise<string | undefined> {
  const entry = findAllowedHost(hosts, name, port);
  if (entry === undefined) return undefined;
  const found = await lookup(name);
  const named = name === 'localhost' || isIP(name) !== 0;
  const own = ownPlaces.check(found.address, found.family === 6 ? 'ipv6' : 'ipv4');
  return own && !named ? undefined : found.address;
}

async function tunnel(
  incoming: IncomingMessage,
  client: Duplex,
  head: Buffer,
  reach: Reach,
  keep: (socket: Duplex) => void,
): Promise<void> {
  try {
    const { hostname, port } = new URL(`http://${incoming.url}`);
    const target = await dial(await reach(bare(hostname), Number(port || 80)), Number(port || 80));
    keep(target);
    if (client.destroyed) {
      target.destroy();
      return;
    }
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0) target.write(head);
    client.once('close', () => target.destroy());
    target.once('close', () => client.destroy());
    client.pipe(target).pipe(client);
  } catch (error) {
    const status = error instanceof Refusal ? '403 Forbidden' : '502 Bad Gateway';
    client.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n${(error as Error).message}\n`);
  }
}

async function dial(address: string, port: number): Promise<Socket> {
  const socket = connect({ host: address, port });
  socket.setTimeout(connectMs, () => socket.destroy(new Error('it did not answer in time')));
  await once(socket, 'connect');
  socket.setTimeout(silentMs);
  return socket;
}

async function forward(incoming: IncomingMessage, response: ServerResponse, reach: Reach): Promise<void> {
  try {
    const url = new URL(incoming.url ?? '');
    if (url.protocol !== 'http:') throw new Refusal(`${url.protocol} is not spoken here`);
    const port = Number(url.port || 80);
    const host = await reach(bare(url.hostname), port);
    const { 'proxy-connection': _hop, 'proxy-authorization': _secret, ...headers } = incoming.headers;
    const outgoing = request({
      host,
      port,
      method: incoming.method,
      path: `${url.pathname}${url.search}`,
      headers: { ...headers, host: url.host, connection: 'close' },
      timeout: silentMs,
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('it was silent for too long')));
    outgoing.on('error', (error) => fail(response, 502, error.message));
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    response.once('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  } catch (error) {
    fail(response, error instanceof Refusal ? 403 : 502, (error as Error).message);
  }
}

function fail(response: ServerResponse, status: number, reason: string): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(status, { connection: 'close' }).end(`${reason}\n`);
}

/** An IPv6 address stands in brackets within a URL. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
