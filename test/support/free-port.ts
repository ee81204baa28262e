import { createServer, type Server } from 'node:net';

const host = '127.0.0.1';
/** Between the ports of the trees and those that the kernel hands out by itself, two for each claim. */
const first = 30_400;
const pairs = 1_100;

function listenAt(port: number): Promise<Server | null> {
  const { promise, resolve } = Promise.withResolvers<Server | null>();
  const server = createServer((socket) => socket.destroy());
  server.unref().once('error', () => resolve(null));
  server.listen({ port, host, exclusive: true }, () => resolve(server));
  return promise;
}

/**
 * Gives a TCP port of the loopback that nobody listens on and that nobody else who asks here is given until this process
 * ends: its neighbour is held as a claim. The kernel gives it to no outgoing connection, so that a server can also be
 * started on it again. Throws when none is left.
 */
export async function freePort(): Promise<number> {
  const start = Math.floor(Math.random() * pairs);
  for (let turn = 0; turn < pairs; turn += 1) {
    const port = first + 2 * ((start + turn) % pairs);
    const claim = await listenAt(port + 1);
    if (claim === null) continue;
    const probe = await listenAt(port);
    if (probe !== null) {
      const { promise, resolve } = Promise.withResolvers<void>();
      probe.close(() => resolve());
      await promise;
      return port;
    }
    claim.close();
  }
  throw new Error(`none of ${pairs} ports on ${host} is free`);
}
