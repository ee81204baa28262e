import { createServer, type Server } from 'node:net';

const host = '127.0.0.1';

/** Takes a TCP port of the loopback and says nothing there; `null` where it is taken. Does not keep the process alive. */
export function takePort(port: number): Promise<Server | null> {
  const { promise, resolve } = Promise.withResolvers<Server | null>();
  const server = createServer((socket) => socket.destroy());
  server.unref().once('error', () => resolve(null));
  server.listen({ port, host, exclusive: true }, () => resolve(server));
  return promise;
}

/** Says whether a TCP port of the loopback can be taken; it is given back before this resolves. */
export async function isFree(port: number): Promise<boolean> {
  const server = await takePort(port);
  if (server === null) return false;
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  await promise;
  return true;
}
