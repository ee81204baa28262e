import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { DirectiveRecord, DirectiveView } from '../../src/protocol/directive.ts';
import type { TracedMessage } from '../../src/protocol/local-api.ts';
import { TestTree } from '../support/tree.ts';

let tree: TestTree;
let workspace: string;

before(async () => {
  tree = await TestTree.create();
  ({ workspace } = tree);
  await tree.up();
});
after(() => tree.dispose());

const taskOf = (view: DirectiveView, id: string) => {
  const task = view.tasks.find((candidate) => candidate.id === id);
  assert.ok(task, `task ${id}`);
  return task;
};

test('a directive in a file travels to the workers and back, and leaves knowledge behind', async () => {
  const file = join(tree.folder, 'release.yaml');
  await writeFile(
    file,
    [
      'directive: 障害対応の確認',
      'goal: the pump is checked',
      'workspace: work',
      'tasks:',
      '  - id: build',
      '    run: echo "built for $TARGET" > artefact.txt',
      '    env: { TARGET: tokyo }',
      '  - id: check',
      '    run: cat artefact.txt',
      '    needs: [build]',
    ].join('\n'),
  );
  const { code, stdout, stderr } = await tree.cli(['directive', 'submit', file, '--wait', '--json']);
  assert.equal(code, 0, stderr);
  const view = JSON.parse(stdout) as DirectiveView;
  assert.equal(view.state, 'completed');
  assert.equal(taskOf(view, 'check').output?.tail, 'built for tokyo\n');
  assert.equal(await readFile(join(workspace, 'artefact.txt'), 'utf8'), 'built for tokyo\n');
  assert.equal((await stat(taskOf(view, 'check').output?.path as string)).mode & 0o777, 0o600);

  for (const question of ['障害', 'pump']) {
    const { entries } = await tree.json<{ entries: { title: string; links: { directives: string[] } }[] }>([
      'ask',
      'knowledge',
      question,
    ]);
    assert.ok(
      entries.some(
        ({ links, title }) => links.directives.includes(view.id) && title.startsWith('障害対応の確認'),
      ),
      `${question} finds the directive`,
    );
  }
});

test('independent tasks run at the same time on different servants', async () => {
  const meet = (own: string, other: string) =>
    `touch ${own}; for i in $(seq 2400); do [ -e ${other} ] && exit 0; sleep 0.05; done; exit 1`;
  const { view } = await tree.submitAndWait({
    directive: 'Meet',
    workspace,
    tasks: [
      { id: 'left', run: meet('l', 'r') },
      { id: 'right', run: meet('r', 'l') },
    ],
  });
  assert.equal(view.state, 'completed');
  assert.notEqual(taskOf(view, 'left').servant, taskOf(view, 'right').servant);
});

test('a failing task is retried as told, then fails its dependants and the directive', async () => {
  const { code, view } = await tree.submitAndWait({
    directive: 'Fail',
    workspace,
    tasks: [
      { id: 'flaky', run: 'echo try $ELDERS_ATTEMPT; test $ELDERS_ATTEMPT = 2', retries: 1 },
      { id: 'broken', run: 'echo it is broken; exit 7', retries: 1 },
      { id: 'after', run: 'true', needs: ['broken'] },
      { id: 'later', run: 'true', needs: 'after' },
    ],
  });
  assert.equal(code, 1);
  assert.equal(view.state, 'failed');
  assert.deepEqual(
    view.tasks
      .map(({ id, state, attempts, exitCode }) => ({ id, state, attempts, exitCode }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
    [
      { id: 'after', state: 'skipped', attempts: 0, exitCode: null },
      { id: 'broken', state: 'failed', attempts: 2, exitCode: 7 },
      { id: 'flaky', state: 'succeeded', attempts: 2, exitCode: 0 },
      { id: 'later', state: 'skipped', attempts: 0, exitCode: null },
    ],
  );
  assert.equal(taskOf(view, 'broken').output?.tail, 'it is broken\n');
  const { incidents } = await tree.json<{ incidents: { title: string; directiveId: string | null }[] }>([
    'ask',
    'incident',
  ]);
  assert.ok(
    incidents.some((incident) => incident.directiveId === view.id && incident.title.includes('broken')),
  );
});

test('the output of a failed task is at hand without --json, in Japanese too', async () => {
  const input = JSON.stringify({
    directive: 'Show',
    workspace,
    tasks: [{ id: 'x', run: 'echo tell-tale; exit 3' }],
  });
  const english = await tree.cli(['directive', 'submit', '-', '--wait'], { input });
  assert.equal(english.code, 1);
  assert.match(english.stdout, /tell-tale/);
  const japanese = await tree.cli(['directive', 'submit', '-', '--wait', '--lang', 'ja'], { input });
  assert.match(japanese.stdout, /最後の出力/);
});

test('a timeout ends the command with all that it started', async () => {
  const { view } = await tree.submitAndWait({
    directive: 'Slow',
    workspace,
    tasks: [{ id: 'slow', run: 'setsid sleep 987654 & sleep 987654', timeout: '300ms' }],
  });
  assert.equal(taskOf(view, 'slow').history[0]?.outcome, 'timed_out');
});

test('cancelling ends running commands and what waits', async () => {
  const follow = tree.start(['directive', 'submit', '-', '--wait', '--json']);
  let stdout = '';
  follow.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  follow.stdin?.end(
    JSON.stringify({
      directive: 'Cancel',
      workspace,
      tasks: [
        { id: 'long', run: 'echo begun > begun; sleep 600' },
        { id: 'next', run: 'true', needs: ['long'] },
      ],
    }),
  );
  let id: string | undefined;
  while (id === undefined) {
    const { directives } = await tree.json<{ directives: DirectiveRecord[] }>(['directive', 'list']);
    id = directives.find((one) => one.title === 'Cancel' && one.state === 'executing')?.id;
  }
  const ended = new Promise((resolve) => follow.once('close', resolve));
  await tree.json(['directive', 'cancel', id]);
  assert.equal(await ended, 1);
  const view = JSON.parse(stdout) as DirectiveView;
  assert.equal(view.state, 'cancelled');
  assert.deepEqual(
    view.tasks.map((task) => task.state),
    ['cancelled', 'cancelled'],
  );
  const again = await tree.cli(['directive', 'cancel', id, '--json']);
  assert.equal(again.code, 1);
  assert.equal(JSON.parse(again.stdout).error.code, 'conflict');
});

test('trace shows each message of a directive after its cause, with all its times', async () => {
  const { view } = await tree.submitAndWait({
    directive: 'Trace',
    workspace,
    tasks: [{ id: 'one', run: 'true' }],
  });
  let messages: TracedMessage[] = [];
  // The directive has ended before the knowledge sage has kept what was learned from it.
  while (messages.length === 0 || messages.some(({ state }) => state === 'queued' || state === 'delivered')) {
    ({ messages } = await tree.json<{ messages: TracedMessage[] }>(['trace', view.id]));
  }
  const actions = messages.map((message) => message.action);
  for (const action of [
    'development.directive.submit',
    'development.directive.execute',
    'sage.knowledge.search',
    'sage.task.create',
    'sage.task.assign',
    'report.to_sage.attempt_finished',
    'report.to_elder.graph_finished',
    'sage.knowledge.store',
    'report.directive.finished',
  ]) {
    assert.ok(actions.includes(action), action);
  }
  const seen = new Set<string>();
  for (const message of messages) {
    if (message.causationId !== null && messages.some(({ id }) => id === message.causationId)) {
      assert.ok(seen.has(message.causationId), `${message.action} stands after its cause`);
    }
    seen.add(message.id);
    assert.equal(message.state, 'acted', message.action ?? '');
    assert.ok(
      message.sentAt <= (message.deliveredAt ?? 0) && (message.deliveredAt ?? 0) <= (message.actedAt ?? 0),
    );
  }
  const shown = await tree.json<{ action: string; payload: unknown }>([
    'msg',
    'show',
    messages[0]?.id as string,
  ]);
  assert.equal(shown.action, messages[0]?.action);
});

test('people may send what the gateway may, and nothing else', async () => {
  const pong = await tree.json<{ result: { name: string } }>(['msg', 'send', 'task_sage', 'elder.ping']);
  assert.equal(JSON.stringify(pong).includes('task_sage'), true);
  const denied = await tree.cli(['msg', 'send', 'servant_1', 'elder.ping', '--json']);
  assert.equal(denied.code, 4, denied.stdout);
  const unknown = await tree.cli(['msg', 'send', 'nobody', 'elder.ping', '--json']);
  assert.equal(unknown.code, 2);
});

test('a directive that never reaches the workers says why', async () => {
  const cyclic = {
    directive: 'Cycle',
    workspace,
    tasks: [
      { id: 'a', run: 'true', needs: ['b'] },
      { id: 'b', run: 'true', needs: ['a'] },
    ],
  };
  const refused = await tree.cli(['directive', 'submit', '-', '--json'], {
    input: JSON.stringify(cyclic, null, 2),
  });
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /\d+:\d+/);
  // Past the command line's own check, as somebody who speaks to the socket: the grand elder looks again.
  const spec = {
    title: 'Cycle',
    goal: '',
    workspace,
    tasks: ['a', 'b'].map((id) => ({
      id,
      run: 'true',
      needs: [id === 'a' ? 'b' : 'a'],
      retries: 0,
      timeoutMs: 1_000,
      priority: 5,
      env: {},
    })),
  };
  const rejected = await tree.cli([
    'msg',
    'send',
    'grand_elder',
    'development.directive.submit',
    '--payload',
    JSON.stringify({ directiveId: 'cyclic', directive: spec }),
    '--json',
  ]);
  assert.match(rejected.stdout, /"rejected"/);
});

test('a thousand tasks pass through in one directive', async () => {
  const tasks = Array.from({ length: 1_000 }, (_, index) => ({ id: `t${index}`, run: 'true' }));
  const { code, view } = await tree.submitAndWait({ directive: 'Many', workspace, tasks });
  assert.equal(code, 0);
  assert.equal(view.tasks.filter((task) => task.state === 'succeeded').length, 1_000);
});

test('the socket refuses what is not a request', async () => {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const socketPath = join(tree.folder, '.elders/gateway/gateway.sock');
  const call = request({ socketPath, path: '/v1/ask', method: 'POST' }, (response) =>
    resolve(response.statusCode),
  );
  call.on('error', reject);
  call.end('{not json');
  assert.equal(await promise, 400);
});
