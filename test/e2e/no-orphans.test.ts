import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { processesTouching } from '../../scripts/processes-touching.ts';
import { stateFolder } from '../../src/protocol/state-folder.ts';
import { newProcessMark } from '../../src/telemetry/marked-processes.ts';
import { readProcessIdentity, waitUntilGone } from '../../src/telemetry/process-identity.ts';
import { socketFolderPrefix } from '../../src/telemetry/sandbox-leftovers.ts';
import { appears } from '../support/appears.ts';
import { filesBelow } from '../support/files-below.ts';
import { TestTree } from '../support/tree.ts';

/** How long the kernel may take to end a killed process, ms. */
const vanishMs = 30_000;

let tree: TestTree;
let workspaces: string;

// A tree for each: the next one would begin with the commands that this one has lost.
beforeEach(async () => {
  workspaces = await mkdtemp(join(tmpdir(), 'elders-work-'));
  const config = { spares: 1, strategy: { hosts: ['example.com'] } };
  tree = await TestTree.create({ servants: 1, config });
});
afterEach(async () => {
  await tree.dispose();
  await rm(workspaces, { recursive: true, force: true });
});

/** What the tree has running: whatever names its folder, and the grandchildren that carry the word `mark`. */
function living(mark: string) {
  const marked = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid && processText(pid).includes(mark))
    .map((pid) => ({ pid, command: processText(pid).slice(0, 200), by: 'mark' }));
  const found = [...marked, ...processesTouching(tree.folder)];
  return [...new Map(found.map((each) => [each.pid, each])).values()];
}

function processText(pid: number): string {
  try {
    if (/^State:\s+[ZX]/m.test(readProc(pid, 'status'))) return '';
    return readProc(pid, 'cmdline').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function readProc(pid: number, file: string): string {
  return readFileSync(`/proc/${pid}/${file}`, 'latin1');
}

/** Kills all that there is of the tree at once, and waits for the end of each, which the kernel needs a moment for. */
async function killAll(mark: string): Promise<void> {
  const all = living(mark).flatMap(({ pid }) => readProcessIdentity(pid) ?? []);
  kill(all.map(({ pid }) => pid));
  await Promise.all(all.map((identity) => waitUntilGone(identity, vanishMs)));
}

/** What a tree that was stopped in order leaves for the next start; everything else is a leftover. */
const kept = new Set(['manager.lock']);

function leftovers(): string[] {
  const state = join(tree.folder, '.elders');
  const run = filesBelow(join(state, 'run')).filter((path) => !kept.has(basename(path)));
  const others = filesBelow(state).filter((path) => /\.(tmp|report|sock)$/.test(path));
  const homes = filesBelow(join(state, 'spare'));
  return [...run, ...others, ...homes, ...socketFolders()];
}

async function writeConfig(config: object): Promise<void> {
  const place = { portBase: tree.portBase, servants: 1, spares: 0 };
  const strategy = { hosts: ['example.com'] };
  await writeFile(join(tree.folder, 'elders.yaml'), JSON.stringify({ ...place, strategy, ...config }));
}

/** Folders for the sockets of the proxy of a command, which are not in the tree's. */
function socketFolders(): string[] {
  const prefix = socketFolderPrefix(stateFolder(tree.folder).sandboxRecord('servant_1'));
  // A servant does not know of the runner's own folder for temporary files.
  return readdirSync('/tmp').filter((name) => name.startsWith(prefix));
}

/** Has a servant run a command whose grandchild has a session of its own, hears no signal and holds nothing of it. */
async function startStubborn(): Promise<string> {
  const mark = newProcessMark();
  const workspace = join(workspaces, mark);
  await mkdir(workspace);
  const deaf = `trap "" TERM HUP INT; cd /; exec </dev/null >/dev/null 2>&1; while :; do sleep 600; done`;
  const run = `setsid sh -c '${deaf}' ${mark} & setsid -f sh -c '${deaf}' ${mark}; echo yes >begun; sleep 600`;
  const begun = appears(join(workspace, 'begun'));
  await tree.submit({
    directive: 'Stubborn',
    goal: 'its processes end with the tree',
    workspace,
    tasks: [{ id: 'stubborn', run, retries: 0, timeout: '10m', hosts: ['example.com'] }],
  });
  await begun;
  return mark;
}

/** Kills what fits, one by one in this order; what ends with another is not there any more. */
function kill(pids: readonly (number | null | undefined)[]): void {
  for (const pid of pids) {
    if (typeof pid !== 'number') continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended with one that was killed before.
    }
  }
}

type Pids = Awaited<ReturnType<typeof pidsOfTree>>;

async function pidsOfTree() {
  const { manager, redis, elders, spares } = await tree.status();
  return {
    manager: manager?.pid,
    redis: redis.pid,
    elders: elders.map(({ pid }) => pid),
    spares: spares.map(({ pid }) => pid),
  };
}

const deaths: readonly {
  readonly order: string;
  readonly die: (pids: Pids, mark: string) => void | Promise<void>;
}[] = [
  { order: 'nothing', die: () => {} },
  { order: 'the manager', die: ({ manager }) => kill([manager]) },
  {
    order: 'the manager, then the servants and all other elders',
    die: ({ manager, elders }) => kill([manager, ...elders.toReversed()]),
  },
  {
    order: 'Redis, the elders, then the manager',
    die: ({ manager, redis, elders, spares }) => kill([redis, ...elders, ...spares, manager]),
  },
  { order: 'all at once', die: (_, mark) => killAll(mark) },
];

for (const { order, die } of deaths) {
  test(`nothing remains after \`down\` when kill -9 has hit: ${order}`, async () => {
    await tree.up();
    const mark = await startStubborn();
    const marked = living(mark).filter(({ command }) => command.includes(mark));
    assert.ok(marked.length >= 2, 'the check sees the grandchildren while they live');
    assert.ok(living(mark).length > 10, 'and the tree');
    assert.ok(leftovers().length > 5, 'and its files');
    assert.equal(socketFolders().length, 1);
    await die(await pidsOfTree(), mark);
    const { code, stderr } = await tree.cli(['down', '--force']);
    assert.equal(code, 0, stderr);
    assert.deepEqual(living(mark), [], 'when `down` is over, so is everything');
    assert.deepEqual(leftovers(), []);
  });
}

test('after everything was killed at once the next `up` comes up, and leaves nothing when it ends', async () => {
  await tree.up();
  const mark = await startStubborn();
  await killAll(mark);
  assert.deepEqual(living(mark), []);
  await tree.up();
  await tree.ready();
  assert.deepEqual(
    leftovers().filter((path) => /\.(tmp|report)$/.test(path)),
    [],
    'what was half written is gone',
  );
  const { code, stderr } = await tree.cli(['down']);
  assert.equal(code, 0, stderr);
  assert.deepEqual(living(mark), []);
  assert.deepEqual(leftovers(), []);
});

test('without a sandbox too nothing remains when a servant is killed: what left its session is found', async () => {
  await writeConfig({ sandbox: 'none', isolation: 'none' });
  await tree.up();
  const mark = await startStubborn();
  assert.ok(living(mark).filter(({ command }) => command.includes(mark)).length >= 2);
  const { elders } = await tree.status();
  kill([elders.find(({ name }) => name === 'servant_1')?.pid]);
  const { code, stderr } = await tree.cli(['down', '--force']);
  assert.equal(code, 0, stderr);
  assert.deepEqual(living(mark), []);
});
