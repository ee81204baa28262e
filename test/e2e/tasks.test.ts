import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ReplyOf } from '../../src/protocol/actions.ts';
import type { DirectiveView } from '../../src/protocol/directive.ts';
import { appears } from '../support/appears.ts';
import { TestTree } from '../support/tree.ts';

let tree: TestTree;
let workspace: string;

before(async () => {
  tree = await TestTree.create();
  ({ workspace } = tree);
  await tree.up();
});
after(() => tree.dispose());

const statesOf = (view: DirectiveView) => Object.fromEntries(view.tasks.map(({ id, state }) => [id, state]));

test('a matrix, conditions and locks work from the file to the command', async () => {
  const { view } = await tree.submitAndWait({
    directive: 'Matrix',
    workspace,
    tasks: [
      {
        id: 't',
        run: 'echo "$MATRIX_N:$V" >> rows',
        matrix: { n: [1, 2, 3] },
        env: { V: 'v${{ matrix.n }}' },
        locks: 'rows',
      },
      { id: 'bad', run: 'exit 3', needs: 't' },
      {
        id: 'mend',
        run: 'echo "$WHY" > why',
        needs: 'bad',
        if: 'failure()',
        env: { WHY: '${{ needs.bad.result }}' },
      },
      { id: 'ship', run: 'true', needs: 'bad' },
    ],
  });
  const states = {
    't.1': 'succeeded',
    't.2': 'succeeded',
    't.3': 'succeeded',
    bad: 'failed',
    mend: 'succeeded',
    ship: 'skipped',
  };
  assert.deepEqual(statesOf(view), states);
  assert.equal(view.state, 'failed');
  const rows = (await readFile(join(workspace, 'rows'), 'utf8')).trim().split('\n').sort();
  assert.deepEqual(rows, ['1:v1', '2:v2', '3:v3']);
  assert.equal(await readFile(join(workspace, 'why'), 'utf8'), 'failed\n');
});

test('what a command tells reaches others: outputs, further tasks, names of failed tests', async () => {
  const junit =
    '<testsuite name="s"><testcase name="adds"/><testcase name="carries"><failure message="1 != 2"/></testcase></testsuite>';
  const { view } = await tree.submitAndWait({
    directive: 'Tell',
    workspace,
    tasks: [
      {
        id: 'plan',
        run: `echo 'part=北 $(x)' >> "$ELDERS_OUTPUT"; echo '{"id":"made","run":"echo made","needs":"plan"}' > "$ELDERS_TASKS"`,
        additions: true,
      },
      {
        id: 'use',
        run: 'printf %s "$PART" > part',
        needs: 'plan',
        env: { PART: '${{ needs.plan.outputs.part }}' },
      },
      { id: 'unit', run: `echo '${junit}' > junit.xml; exit 1`, needs: 'use', reports: 'junit.xml' },
    ],
  });
  assert.deepEqual(statesOf(view), {
    plan: 'succeeded',
    use: 'succeeded',
    made: 'succeeded',
    unit: 'failed',
  });
  assert.equal(await readFile(join(workspace, 'part'), 'utf8'), '北 $(x)');
  const unit = view.tasks.find(({ id }) => id === 'unit');
  assert.deepEqual(unit?.tests, {
    passed: 1,
    failed: 1,
    skipped: 0,
    failures: [{ name: 's › carries', message: '1 != 2' }],
    problems: [],
  });
});

test('a person steers tasks: pause, add, resume, retry, and looks at them', async () => {
  const file = join(tree.folder, 'steer.yaml');
  const tasks = [
    'tasks:',
    '  - { id: gate, run: "while [ ! -e go ]; do sleep 0.05; done" }',
    '  - { id: build, run: "test -e mended", needs: gate }',
    '  - { id: ship, run: "true", needs: build }',
  ];
  await writeFile(file, ['directive: Steer', 'workspace: work', ...tasks].join('\n'));
  const { id } = await tree.json<{ id: string }>(['directive', 'submit', file]);
  const paused = await tree.json<{ count: number }>(['task', 'pause', `${id}/build`]);
  assert.equal(paused.count, 1);
  const more = join(tree.folder, 'more.yaml');
  await writeFile(more, 'tasks:\n  - { id: extra, run: "echo extra", needs: gate }\n');
  assert.deepEqual(await tree.json(['task', 'add', id, more]), { directiveId: id, added: 1 });
  await writeFile(join(workspace, 'go'), '');
  await tree.json(['task', 'resume', `${id}/build`]);
  const first = await tree.cli(['directive', 'show', id, '--wait', '--json']);
  assert.deepEqual(statesOf(JSON.parse(first.stdout) as DirectiveView), {
    gate: 'succeeded',
    build: 'failed',
    ship: 'skipped',
    extra: 'succeeded',
  });
  await writeFile(join(workspace, 'mended'), '');
  await tree.json(['task', 'retry', `${id}/build`]);
  const second = await tree.cli(['directive', 'show', id, '--wait', '--json']);
  assert.equal(second.code, 0, second.stderr);
  assert.equal((JSON.parse(second.stdout) as DirectiveView).state, 'completed');

  const list = await tree.json<ReplyOf<'sage.task.list'>>(['task', 'list', id, '--state', 'succeeded']);
  assert.equal(list.tasks.length, 4);
  const shown = await tree.json<ReplyOf<'sage.task.show'>>(['task', 'show', `${id}/build`]);
  assert.deepEqual(
    shown.history.map(({ outcome }) => outcome),
    ['failed', 'succeeded'],
  );
  const dot = await tree.cli(['task', 'graph', id, '--format', 'dot']);
  assert.match(dot.stdout, /"build" -> "ship"/);
  const mermaid = await tree.cli(['task', 'graph', id, '--format', 'mermaid']);
  assert.match(mermaid.stdout, /^flowchart LR\n/);
  const late = await tree.cli(['task', 'cancel', `${id}/ship`, '--json']);
  assert.match(late.stderr + late.stdout, /conflict/);

  const page = join(tree.folder, 'report.html');
  assert.deepEqual(await tree.json(['directive', 'report', id, '--format', 'html', '-o', page]), {
    path: page,
  });
  assert.match(await readFile(page, 'utf8'), /<svg [\s\S]*build #1/);
});

test('the output of a running task is followed to its end, over its attempts', async () => {
  const file = join(tree.folder, 'talk.yaml');
  const lines = [
    'directive: Talk',
    'workspace: work',
    'tasks:',
    '  - { id: t, retries: 1, run: "echo one 北; echo yes > talks; while [ ! -e heard ]; do sleep 0.05; done; echo two; [ $ELDERS_ATTEMPT = 2 ]" }',
  ];
  await writeFile(file, lines.join('\n'));
  const { id } = await tree.json<{ id: string }>(['directive', 'submit', file]);
  await appears(join(workspace, 'talks'));
  const following = tree.cli(['task', 'logs', `${id}/t`, '--attempt', '1', '-f']);
  await writeFile(join(workspace, 'heard'), '');
  const { code, stdout, stderr } = await following;
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'one 北\ntwo\none 北\ntwo\n');
  assert.equal((await tree.cli(['task', 'logs', `${id}/t`, '--attempt', '1'])).stdout, 'one 北\ntwo\n');
});

test('what a task prints drives no terminal and forges no line of a log', async () => {
  const forged = '{"level":50,"level_name":"error","name":"manager","msg":"forged"}';
  const hostile = `\u001b[2J\u001b]52;c;Zm9yZ2Vk\u0007 \rforged\u202e\u009b1m\n${forged}\n`;
  await writeFile(join(workspace, 'hostile'), hostile);
  const run = 'cat hostile; cat hostile >&2; exit 1';
  const { view } = await tree.submitAndWait({ directive: 'Hostile', workspace, tasks: [{ id: 't', run }] });
  const name = `${view.id}/t`;
  const piped = await tree.cli(['task', 'logs', name]);
  assert.equal(piped.stdout, hostile + hostile, 'control: it got as far as here, and a pipe has it as it is');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through.
  const driving = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/;
  assert.match(hostile, driving);
  for (const args of [
    ['task', 'show', name],
    ['directive', 'show', view.id],
    ['task', 'logs', name, '--json'],
  ]) {
    const { stdout } = await tree.cli(args);
    assert.match(stdout, /forged/);
    if (!args.includes('--json')) assert.doesNotMatch(stdout, driving, args.join(' '));
    else for (const line of stdout.trimEnd().split('\n')) assert.equal(JSON.parse(line).taskId, 't');
  }
  for (const args of [['logs'], ['audit', 'list']]) {
    assert.doesNotMatch((await tree.cli(args)).stdout, /forged/, args.join(' '));
  }
});

test('a running task is cancelled with all that waits for it, the rest goes on', async () => {
  const file = join(tree.folder, 'cancel.yaml');
  await writeFile(
    file,
    [
      'directive: Cancel',
      'workspace: work',
      'tasks:',
      '  - { id: long, run: "touch began; sleep 600" }',
      '  - { id: next, run: "true", needs: long, if: "always()" }',
      '  - { id: other, run: "while [ ! -e began ]; do sleep 0.05; done" }',
    ].join('\n'),
  );
  const { id } = await tree.json<{ id: string }>(['directive', 'submit', file]);
  const gone = await tree.json<{ tasks: string[] }>(['task', 'cancel', `${id}/long`, '--subtree']);
  assert.deepEqual(gone.tasks, ['long', 'next']);
  await writeFile(join(workspace, 'began'), '');
  const { stdout } = await tree.cli(['directive', 'show', id, '--wait', '--json']);
  assert.deepEqual(statesOf(JSON.parse(stdout) as DirectiveView), {
    long: 'cancelled',
    next: 'cancelled',
    other: 'succeeded',
  });
});
