import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BodyReader } from '../../protocol/bounded-body.ts';
import { asElderError } from '../../protocol/errors.ts';
import { type ManagerEvent, managerRoutes } from '../../protocol/local-api.ts';
import { type ElderDescription, restartRequest, type TreeMeasure } from '../../protocol/operations.ts';
import { type ScaleRequest, type ScaleState, scaleRequest } from '../../protocol/scaling.ts';

/** What the manager's socket offers to those who run the tree. */
export interface OperationControl {
  /** Puts new processes in the place of elders; `null` means all. */
  restart(names: readonly string[] | null): Promise<void>;
  /** Tells how many servants there are. */
  scaling(): Promise<ScaleState>;
  /** Changes how many servants there are. */
  scale(request: ScaleRequest): Promise<ScaleState>;
  /** Puts the changed configuration in force; resolves to the settings that changed. */
  reload(): Promise<readonly string[]>;
  describe(name: string): Promise<ElderDescription>;
  measure(): Promise<TreeMeasure>;
  /** Tells each event from now on to the listener until the returned function is called. */
  listen(listener: (event: ManagerEvent) => void): () => void;
}

/** Answers a request to describe, measure, restart or reload; false when it is about something else. */
export async function answerOperationRoute(
  control: OperationControl,
  {
    request,
    response,
    url,
    read,
  }: { request: IncomingMessage; response: ServerResponse; url: URL; read: BodyReader },
): Promise<boolean> {
  const is = (route: { method: string; path: string }) =>
    request.method === route.method && url.pathname === route.path;
  if (is(managerRoutes.elder)) sendJson(response, await control.describe(url.searchParams.get('name') ?? ''));
  else if (is(managerRoutes.measure)) sendJson(response, await control.measure());
  else if (is(managerRoutes.restart)) {
    const { names } = await read(restartRequest);
    await stream(control, response, async () => {
      await control.restart(names);
      return names;
    });
  } else if (is(managerRoutes.reload)) await stream(control, response, () => control.reload());
  else if (is(managerRoutes.scaling)) sendJson(response, await control.scaling());
  else if (is(managerRoutes.scale)) {
    const order = await read(scaleRequest);
    await stream(control, response, () => control.scale(order));
  } else return false;
  return true;
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Ms after which an answer begins although nothing has happened yet. */
const patienceMs = 1_000;

/** Tells what happens while an operation is carried out; what it refuses at once is an error answer, not a stream. */
async function stream(
  control: OperationControl,
  response: ServerResponse,
  operate: () => Promise<unknown>,
): Promise<void> {
  let begun = false;
  const begin = () => {
    if (begun) return;
    begun = true;
    response.writeHead(200, { 'content-type': 'application/x-ndjson', connection: 'close' });
    response.flushHeaders();
  };
  const say = (line: object) => {
    begin();
    response.write(`${JSON.stringify(line)}\n`);
  };
  // It may have to wait for an earlier operation, and nobody should take that for silence.
  const timer = setTimeout(begin, patienceMs);
  const leave = control.listen(say);
  try {
    const result = await operate();
    say({ done: result });
  } catch (error) {
    if (!begun) throw error;
    say({ error: asElderError(error).toJSON() });
  } finally {
    clearTimeout(timer);
    leave();
    if (begun) response.end();
  }
}
