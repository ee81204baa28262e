import assert from 'node:assert/strict';
import { existsSync, linkSync, mkdirSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { json } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { GatewayClient } from '../../../src/cli/connection/gateway-client.ts';
import { call, SocketAway, stream } from '../../../src/cli/connection/local-client.ts';
import { ManagerClient } from '../../../src/cli/connection/manager-client.ts';
import type { DirectiveRecord, TaskRecord } from '../../../src/protocol/directive.ts';
import { ElderError } from '../../../src/protocol/errors.ts';
import type { DirectiveChange } from '../../../src/protocol/local-api.ts';
import { type StateFolder, stateFolder } from '../../../src/protocol/state-folder.ts';
import { taskRecord } from '../../support/task-record.ts';
import { temporaryFolder } from '../elders-command.ts';
import { serveOn } from '../socket-server.ts';

function folderFor(context: TestContext): StateFolder {
  const folder = stateFolder(temporaryFolder(context));
  mkdirSync(folder.run, { recursive: true });
  return folder;
}

const never = new AbortController().signal;
const idle: RequestListener = () => undefined;
const answer =
  (status: number, body: unknown): RequestListener =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };

const record: DirectiveRecord = {
  id: 'd1',
  title: 'x',
  goal: '',
  workspace: '/',
  taskCount: 2,
  state: 'executing',
  reason: null,
  submittedAt: 1,
  finishedAt: null,
  summary: null,
  lessons: [],
  halted: null,
  approval: null,
};

function task(id: string, state: TaskRecord['state']): TaskRecord {
  return taskRecord(id, { run: 'x', state, attempts: 1 });
}

function line(state: DirectiveRecord['state'], ...tasks: TaskRecord[]): string {
  const change: DirectiveChange = { directive: { ...record, state }, summary: {}, tasks, forecast: null };
  return `${JSON.stringify(change)}\n`;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof ElderError, String(error));
    return error.code;
  }
  assert.fail('an error was expected');
}

test('where nothing listens at all, the tree is not running', async (context) => {
  const folder = folderFor(context);
  const gateway = new GatewayClient({ folder, signal: never });
  assert.equal(await codeOf(gateway.ask('task_sage', 'elder.ping', {})), 'not_running');
  assert.equal(await codeOf(gateway.watch('d1').next()), 'not_running');
  assert.equal(await codeOf(new ManagerClient(folder, never).status()), 'not_running');
  assert.equal(await codeOf(new ManagerClient(folder, never).shutdown('drain').next()), 'not_running');
});

test('a socket file that nobody listens on is as good as none', async (context) => {
  const folder = folderFor(context);
  const { close } = await serveOn(context, `${folder.managerSocket}.live`, idle);
  // A second name of the socket stays behind, as the only name does when a process is killed.
  linkSync(`${folder.managerSocket}.live`, folder.managerSocket);
  await close();
  assert.ok(existsSync(folder.managerSocket));
  assert.equal(await codeOf(new ManagerClient(folder, never).status()), 'not_running');
});

test('while a manager runs, a request waits for the gateway and is sent again with the same key', async (context) => {
  const folder = folderFor(context);
  await serveOn(context, folder.managerSocket, idle);
  const keys: unknown[] = [];
  let away = 0;
  const reply = { name: 'task_sage', incarnation: 1, commitNumber: 1, pid: 1 };
  const asked = Promise.withResolvers<void>();
  const onAway = () => {
    away += 1;
    asked.resolve();
  };
  const client = new GatewayClient({ folder, signal: never, onAway });
  const result = client.ask('task_sage', 'elder.ping', {}, { idempotencyKey: 'key-12345' });
  await asked.promise;
  const first = await serveOn(context, folder.gatewaySocket, async (request, response) => {
    keys.push(((await json(request)) as { idempotencyKey: string }).idempotencyKey);
    // It dies before it has answered; whether it acted, nobody can tell.
    response.destroy();
    void first.close().then(() =>
      serveOn(context, folder.gatewaySocket, async (again, answering) => {
        keys.push(((await json(again)) as { idempotencyKey: string }).idempotencyKey);
        answer(200, { result: reply })(again, answering);
      }),
    );
  });
  assert.deepEqual(await result, reply);
  assert.deepEqual(keys, ['key-12345', 'key-12345']);
  assert.equal(away, 1);
});

test('a gateway that stays away ends in timed_out', async (context) => {
  const folder = folderFor(context);
  await serveOn(context, folder.managerSocket, idle);
  const client = new GatewayClient({ folder, signal: never });
  assert.equal(await codeOf(client.ask('task_sage', 'elder.ping', {}, { timeoutMs: 1 })), 'timed_out');
});

test('an error in an answer keeps its code and is not asked again', async (context) => {
  const folder = folderFor(context);
  let asked = 0;
  await serveOn(context, folder.gatewaySocket, (request, response) => {
    asked += 1;
    answer(503, { error: { code: 'redis_unreachable', reason: 'away' } })(request, response);
  });
  const client = new GatewayClient({ folder, signal: never });
  assert.equal(await codeOf(client.ask('task_sage', 'elder.ping', {})), 'redis_unreachable');
  assert.equal(asked, 1);
});

test('an answer that does not fit its schema is an internal error', async (context) => {
  const folder = folderFor(context);
  await serveOn(context, folder.gatewaySocket, answer(200, { result: { name: 5 } }));
  const client = new GatewayClient({ folder, signal: never });
  assert.equal(await codeOf(client.ask('task_sage', 'elder.ping', {})), 'internal');
  assert.equal(await codeOf(new GatewayClient({ folder, signal: never }).view('d1')), 'internal');
});

test('a watch puts changes together, survives a broken stream and an error in it, and ends with the directive', async (context) => {
  const folder = folderFor(context);
  await serveOn(context, folder.managerSocket, idle);
  let streams = 0;
  await serveOn(context, folder.gatewaySocket, (request, response) => {
    assert.equal(request.url, '/v1/watch?id=d1');
    streams += 1;
    response.writeHead(200);
    if (streams === 1) {
      response.write(line('executing', task('a', 'running'), task('b', 'waiting')));
      response.write(line('executing', task('a', 'succeeded')), () => response.destroy());
    } else if (streams === 2) {
      response.end(`${JSON.stringify({ error: { code: 'redis_unreachable', reason: 'away' } })}\n`);
    } else {
      response.write(line('executing', task('a', 'succeeded'), task('b', 'running')));
      response.end(line('completed', task('b', 'succeeded')));
    }
  });
  const seen: string[] = [];
  for await (const view of new GatewayClient({ folder, signal: never }).watch('d1')) {
    seen.push(`${view.state}: ${view.tasks.map(({ id, state }) => `${id} ${state}`).join(', ')}`);
  }
  // The end of a stream may overtake lines that were not yet read; the next stream starts with all tasks.
  assert.deepEqual(seen.slice(-2), [
    'executing: a succeeded, b running',
    'completed: a succeeded, b succeeded',
  ]);
  assert.equal(streams, 3);
});

test('a watch that hears nothing is opened anew, and one that hears empty lines is not', async (context) => {
  const folder = folderFor(context);
  await serveOn(context, folder.managerSocket, idle);
  let streams = 0;
  let isCut = false;
  await serveOn(context, folder.gatewaySocket, (_, response) => {
    streams += 1;
    response.writeHead(200);
    response.write(line('executing', task('a', 'running')));
    if (streams === 1) return;
    let longest = 0;
    let last = performance.now();
    const beat = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
      response.write('\n');
    }, 50);
    const end = setTimeout(() => response.end(line('completed', task('a', 'succeeded'))), 2_600);
    response.on('close', () => {
      clearInterval(beat);
      clearTimeout(end);
      // Where this whole process stood still the empty lines were late.
      isCut ||= !response.writableEnded && longest < 1_000 && performance.now() - last < 1_000;
    });
  });
  const states = [];
  const client = new GatewayClient({ folder, signal: never, quietMs: 2_000 });
  for await (const { state } of client.watch('d1')) states.push(state);
  assert.equal(states.at(-1), 'completed');
  assert.ok(streams >= 2);
  assert.equal(isCut, false);
});

test('a watch gives up when neither gateway nor manager answers, as where both are stopped', async (context) => {
  const folder = folderFor(context);
  await serveOn(context, folder.managerSocket, (_, response) => response.destroy());
  await serveOn(context, folder.gatewaySocket, idle);
  const client = new GatewayClient({ folder, signal: never, quietMs: 100, awayMs: 1 });
  assert.equal(await codeOf(client.watch('d1').next()), 'timed_out');
});

test('a watch goes on waiting as long as the manager answers', async (context) => {
  const folder = folderFor(context);
  let asked = 0;
  await serveOn(context, folder.managerSocket, (request, response) => {
    asked += 1;
    answer(200, {})(request, response);
  });
  await serveOn(context, folder.gatewaySocket, (_, response) => {
    if (asked < 2) return;
    response.writeHead(200);
    response.end(line('completed', task('a', 'succeeded')));
  });
  const client = new GatewayClient({ folder, signal: never, quietMs: 500, awayMs: 1 });
  const { value } = await client.watch('d1').next();
  assert.equal(value?.state, 'completed');
});

test('a watch ends at once on an error that will not pass', async (context) => {
  const folder = folderFor(context);
  await serveOn(context, folder.gatewaySocket, answer(404, { error: { code: 'not_found', reason: 'd1' } }));
  assert.equal(await codeOf(new GatewayClient({ folder, signal: never }).watch('d1').next()), 'not_found');
});

test('aborting ends a request, a stream and a wait with the reason of the signal', async (context) => {
  const folder = folderFor(context);
  const socket = folder.managerSocket;
  const arrived = Promise.withResolvers<void>();
  await serveOn(context, socket, (request, response) => {
    if (request.url === '/stream') {
      response.writeHead(200);
      response.write('{"first": true}\n');
    }
    arrived.resolve();
  });
  const reason = new ElderError('interrupted', 'SIGINT');
  const abort = new AbortController();
  const options = { socket, timeoutMs: 60_000, signal: abort.signal };
  const lines = stream({ ...options, route: { method: 'GET', path: '/stream' } });
  assert.deepEqual((await lines.next()).value, { first: true });
  const pending = call({ ...options, route: { method: 'GET', path: '/never' } });
  const waiting = new GatewayClient({ folder, signal: abort.signal, onAway: () => abort.abort(reason) });
  await arrived.promise;
  await assert.rejects(waiting.ask('task_sage', 'elder.ping', {}), reason);
  await assert.rejects(pending, reason);
  await assert.rejects(lines.next(), reason);
});

test('no answer in time, half an answer and an answer that is no JSON are told apart', async (context) => {
  const folder = folderFor(context);
  const socket = folder.managerSocket;
  await serveOn(context, socket, (request, response) => {
    if (request.url === '/half') response.writeHead(200, { 'content-length': 100 }).write('{');
    if (request.url === '/cut')
      response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy());
    if (request.url === '/text') response.end('hello');
    if (request.url === '/plain') response.writeHead(500).end('{"oops": 1}');
  });
  const get = (path: string) => call({ socket, route: { method: 'GET', path }, timeoutMs: 100 });
  const slow = (path: string) => call({ socket, route: { method: 'GET', path }, timeoutMs: 60_000 });
  assert.equal(await codeOf(get('/never')), 'timed_out');
  assert.equal(await codeOf(get('/half')), 'timed_out');
  assert.equal(await codeOf(slow('/text')), 'internal');
  assert.equal(await codeOf(slow('/plain')), 'internal');
  await assert.rejects(slow('/cut'), SocketAway);
});

test('a socket path that is too long is told as such', async (context) => {
  const folder = stateFolder(`${temporaryFolder(context)}/${'x'.repeat(120)}`);
  mkdirSync(folder.run, { recursive: true });
  const code = await codeOf(new ManagerClient(folder, never).status());
  assert.ok(['config_invalid', 'not_running'].includes(code), code);
});
