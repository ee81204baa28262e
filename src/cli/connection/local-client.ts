import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { ElderError, fromWireError } from '../../protocol/errors.ts';
import { readJsonLines } from '../../supervision/elders/json-lines.ts';

/** A request over a Unix socket. */
export interface LocalRequest {
  readonly socket: string;
  readonly route: { readonly method: string; readonly path: string };
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Ms until the answer, or the head of a stream, must have come. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Nobody listens on the socket, or whoever did has ended before the answer was complete. */
export class SocketAway extends Error {
  override readonly name = 'SocketAway';
}

/** A line longer than this is no answer of ours. */
const maxLine = 536_870_000;
const gone = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTSOCK', 'ECONNABORTED']);

function translate(error: unknown, { socket, signal }: LocalRequest): unknown {
  if (signal?.aborted) return signal.reason;
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined && gone.has(code)) return new SocketAway(`${socket}: ${code}`, { cause: error });
  if (code === 'EACCES' || code === 'EPERM') {
    return new ElderError('denied', `${socket} belongs to another user`, { cause: error });
  }
  if (code === 'EINVAL' || code === 'ENAMETOOLONG') {
    return new ElderError('config_invalid', `${socket} is too long for a Unix socket; use a shorter folder`);
  }
  return error;
}

async function open(options: LocalRequest): Promise<IncomingMessage> {
  const { socket, route, query = {}, body, timeoutMs, signal } = options;
  signal?.throwIfAborted();
  const search = new URLSearchParams(query).toString();
  const text = body === undefined ? undefined : JSON.stringify(body);
  const outgoing = request({
    socketPath: socket,
    method: route.method,
    path: search ? `${route.path}?${search}` : route.path,
    headers:
      text === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
    agent: false,
    ...(signal ? { signal } : {}),
  });
  const late = new ElderError('timed_out', `no answer to ${route.path} within ${timeoutMs} ms`);
  const timer = setTimeout(() => outgoing.destroy(late), timeoutMs);
  outgoing.end(text);
  try {
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return response;
  } catch (error) {
    throw translate(error, options);
  } finally {
    clearTimeout(timer);
    // What comes after is told by the response; without a listener it would end the process.
    outgoing.on('error', () => undefined);
  }
}

async function readAll(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ElderError('internal', `the answer is not JSON: ${text.slice(0, 200)}`, { cause });
  }
}

async function throwRefusal(response: IncomingMessage): Promise<never> {
  const answer = (await readAll(response)) as {
    error?: { code?: unknown; reason?: unknown; detail?: unknown };
  };
  const { code, reason, detail } = answer?.error ?? {};
  if (typeof code !== 'string' || typeof reason !== 'string') {
    throw new ElderError('internal', `status ${response.statusCode} without an error`);
  }
  throw fromWireError({ code, reason, detail });
}

function refused(response: IncomingMessage): boolean {
  return (response.statusCode ?? 500) >= 400;
}

/**
 * Asks once and gives the decoded answer. Throws `SocketAway` when nobody answers there, `timed_out`, `denied`
 * when the socket is another user's, and whatever error the answer carries.
 */
export async function call(options: LocalRequest): Promise<unknown> {
  const started = performance.now();
  const response = await open(options);
  const rest = Math.max(1, options.timeoutMs - (performance.now() - started));
  const late = new ElderError('timed_out', `the answer to ${options.route.path} stopped half-way`);
  const timer = setTimeout(() => response.destroy(late), rest);
  try {
    return refused(response) ? await throwRefusal(response) : await readAll(response);
  } catch (error) {
    throw translate(error, options);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks once and yields the decoded lines of the answer; throws as `call` does, and `SocketAway` too where nothing came for
 * `quietMs`, not even an empty line. Leaving the loop ends the stream.
 */
export async function* stream(options: LocalRequest & { quietMs?: number }): AsyncGenerator<unknown, void> {
  const { quietMs, socket } = options;
  const response = await open(options);
  if (quietMs !== undefined) {
    const quiet = new SocketAway(`${socket}: nothing was said for ${quietMs} ms`);
    response.setTimeout(quietMs, () => response.destroy(quiet));
  }
  try {
    if (refused(response)) await throwRefusal(response);
    yield* readJsonLines(response, maxLine);
  } catch (error) {
    throw translate(error, options);
  } finally {
    response.destroy();
  }
}

/** Tells whether somebody listens on a Unix socket. */
export async function isListening(socket: string): Promise<boolean> {
  const connection = connect(socket);
  try {
    await once(connection, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    connection.destroy();
  }
}
