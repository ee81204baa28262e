import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { PortLimits } from '../../src/protocol/limits.ts';

/** A Unix socket that speaks HTTP, and a request that it answers. */
export interface LimitedSocket {
  readonly path: string;
  readonly limits: PortLimits;
  /** Path of a route that takes a body by POST. */
  readonly post: string;
}

/** Sends text on a connection of its own and gives the status of the answer; 0 when it ends without one. */
async function exchange(path: string, text: string): Promise<number> {
  return Number(/^HTTP\/1\.1 (\d+)/.exec(await answerTo(path, text))?.[1] ?? 0);
}

/** Sends text on a connection of its own and gives the beginning of the answer; empty when it ends without one. */
async function answerTo(path: string, text: string): Promise<string> {
  const socket = connect(path);
  let answer = '';
  socket.on('error', () => undefined);
  socket.on('data', (data) => {
    answer += String(data);
    socket.end();
  });
  socket.write(text);
  await new Promise((resolve) => socket.once('close', resolve));
  return answer;
}

function post(path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** Checks that what is too large or too deep is refused, whatever else it says. */
export async function checkSizes({ path, limits, post: route }: LimitedSocket): Promise<void> {
  const header = `GET / HTTP/1.1\r\nX: ${'x'.repeat(limits.headerBytes)}\r\n\r\n`;
  assert.ok([0, 431].includes(await exchange(path, header)), 'headers');
  assert.equal(await exchange(path, post(route, `"${'x'.repeat(limits.bodyBytes)}"`)), 413, 'body');
  const deep = '['.repeat(limits.depth + 1) + ']'.repeat(limits.depth + 1);
  assert.match(await answerTo(path, post(route, deep)), /nested deeper than/, 'depth');
}

/** Checks that what is too slow is ended. Where the times are short, what is merely large may be too slow as well. */
export async function checkTimes({ path, post: route }: LimitedSocket): Promise<void> {
  assert.ok([0, 408].includes(await exchange(path, 'GET / HTTP/1.1\r\nX: ')), 'slow headers');
  const begun = `POST ${route} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{`;
  assert.ok([0, 408].includes(await exchange(path, begun)), 'slow body');
}

/** Checks that connections beyond the limit are closed and that the others go on. */
export async function checkConnections({ path, limits }: LimitedSocket): Promise<void> {
  const open: Socket[] = Array.from({ length: limits.connections }, () => connect(path));
  await Promise.all(open.map((socket) => once(socket, 'connect')));
  const more = await exchange(path, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  for (const socket of open) {
    assert.equal(socket.destroyed, false);
    socket.on('error', () => undefined).destroy();
  }
  assert.equal(more, 0, 'one more');
}

/** Checks that the checks find a socket open where one limit is off: `open` gives it with a change of its limits. */
export async function checkControls(
  open: (change: Partial<PortLimits>) => Promise<LimitedSocket>,
): Promise<void> {
  const claimed = async (change: Partial<PortLimits>, claim: Partial<PortLimits>) => {
    const { path, limits, post: route } = await open({ ...claim, ...change });
    return { path, post: route, limits: { ...limits, ...claim } };
  };
  const small = { headerBytes: 8_192, bodyBytes: 50_000, depth: 16 };
  const wide = { headerBytes: 65_536, bodyBytes: 1e9, depth: 1_000 };
  for (const [limit, name] of [
    ['headerBytes', 'headers'],
    ['bodyBytes', 'body'],
    ['depth', 'depth'],
  ] as const) {
    await assert.rejects(
      checkSizes(await claimed({ [limit]: wide[limit] }, small)),
      (error: Error) => error instanceof assert.AssertionError && error.message.includes(name),
    );
  }
  await assert.rejects(
    checkConnections(await claimed({ connections: 100 }, { connections: 5 })),
    assert.AssertionError,
  );
  await assert.rejects(
    checkRate(await claimed({ burst: 1e9 }, { rate: 0.001, burst: 3 })),
    assert.AssertionError,
  );
}

/** Checks that requests beyond the burst are refused as too many. */
export async function checkRate({ path, limits, post: route }: LimitedSocket): Promise<void> {
  for (let count = 0; count < limits.burst; count += 1) {
    assert.notEqual(await exchange(path, post(route, '{}')), 429);
  }
  assert.equal(await exchange(path, post(route, '{}')), 429);
}

/** Opens a connection that begins a request and never ends it; tells whether it was ended meanwhile. */
export async function beginSlowly({ path }: LimitedSocket): Promise<{ ended(): boolean; close(): void }> {
  const socket = connect(path);
  let ended = false;
  socket.on('error', () => undefined).on('close', () => (ended = true));
  socket.resume();
  await once(socket, 'connect');
  socket.write('GET / HTTP/1.1\r\nX: ');
  return { ended: () => ended, close: () => void socket.destroy() };
}
