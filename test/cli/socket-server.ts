import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { dirname } from 'node:path';
import type { TestContext } from 'node:test';

/** Serves on a Unix socket until the test is over, or until it is closed. */
export async function serveOn(
  context: TestContext,
  path: string,
  listener: RequestListener,
): Promise<{ server: Server; close(): Promise<void> }> {
  mkdirSync(dirname(path), { recursive: true });
  const server = createServer(listener);
  server.listen(path);
  await once(server, 'listening');
  const close = async () => {
    if (!server.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  context.after(close);
  return { server, close };
}
