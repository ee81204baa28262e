import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { type Config, defaultConfig } from '../../../src/protocol/config.ts';
import { type StateFolder, stateFolder } from '../../../src/protocol/state-folder.ts';
import { elderCommand } from '../../../src/supervision/isolation/elder-command.ts';
import type { ElderProgram } from '../../../src/supervision/isolation/elder-program.ts';

const fixtures = join(import.meta.dirname, 'fixture');

function tree(t: TestContext): StateFolder {
  const project = realpathSync(mkdtempSync(join(tmpdir(), 'elders-isolation-')));
  t.after(() => rmSync(project, { recursive: true, force: true }));
  const folder = stateFolder(project);
  for (const path of [folder.secret, folder.run, folder.index, folder.output]) {
    mkdirSync(path, { recursive: true });
  }
  writeFileSync(join(folder.secret, 'ca.key'), 'CA key');
  writeFileSync(join(project, 'source.txt'), 'source');
  return folder;
}

/** Runs the overreaching fixture in the place of an elder and gives what came of each attempt. */
async function overreach(
  folder: StateFolder,
  name: string,
  isolation: Config['isolation'],
  attempts: readonly string[],
): Promise<Record<string, unknown>> {
  const cache = join(folder.root, 'cache');
  mkdirSync(cache, { recursive: true });
  const program: ElderProgram = {
    command: process.execPath,
    args: (elder) => [join(fixtures, 'overreach.ts'), ...attempts, elder],
    files: { program: [fixtures], cache },
  };
  const command = await elderCommand({ name, folder, program, config: { ...defaultConfig, isolation } });
  const report = openSync(join(folder.run, 'report'), 'w');
  const child = spawn(command.file, command.args, {
    cwd: folder.project,
    stdio: ['ignore', 'pipe', 'inherit', 'ignore', report],
    env: {},
  });
  const [said, [code]] = await Promise.all([text(child.stdout!), once(child, 'exit')]);
  assert.equal(code, 0);
  return JSON.parse(said);
}

test('the seat belt of an elder that starts nothing stops files, programs and threads', async (t) => {
  const folder = tree(t);
  const own = join(folder.log, 'task_sage', 'task_sage.log');
  const secret = join(folder.secret, 'ca.key');
  const foreign = join(folder.run, 'foreign');
  const attempts = [`read=${secret}`, `write=${foreign}`, 'spawn=/bin/true', 'worker=x', 'list=/proc'];
  const stopped = await overreach(folder, 'task_sage', 'none', [...attempts, `write=${own}`]);
  for (const attempt of attempts) assert.equal(stopped[attempt], 'ERR_ACCESS_DENIED', attempt);
  assert.equal(stopped[`write=${own}`], 'done', 'control: its own log is its own');
});

test('the seat belt is no boundary: node:sqlite leaves it, and so the docs say', async (t) => {
  const folder = tree(t);
  const path = join(folder.run, 'made.db');
  const made = await overreach(folder, 'task_sage', 'none', [`sqlite=${path}`]);
  assert.equal(made[`sqlite=${path}`], 'made');
});

test('the seat belt is no boundary: a symbolic link that lies where an elder may read leads out', async (t) => {
  const folder = tree(t);
  const secret = join(folder.secret, 'ca.key');
  const own = join(folder.log, 'task_sage');
  mkdirSync(own, { recursive: true });
  const way = join(own, 'way');
  symlinkSync(secret, way);
  const attempts = [`read=${secret}`, `read=${way}`, `link=${join(own, 'made')}`];
  const open = await overreach(folder, 'task_sage', 'none', attempts);
  assert.deepEqual(Object.values(open), ['ERR_ACCESS_DENIED', 'CA key', 'ERR_ACCESS_DENIED']);
  const walled = await overreach(folder, 'task_sage', 'bubblewrap', attempts);
  assert.deepEqual(Object.values(walled), ['ERR_ACCESS_DENIED', 'ENOENT', 'ERR_ACCESS_DENIED']);
});

test('the seat belt of a servant lets it work, but starts no threads', async (t) => {
  const folder = tree(t);
  const attempts = ['spawn=/bin/true', `write=${join(folder.project, 'file')}`, 'worker=x'];
  const results = await overreach(folder, 'servant_1', 'none', attempts);
  assert.deepEqual(Object.values(results), ['started', 'done', 'ERR_ACCESS_DENIED']);
});

test('within its boundary an elder sees no secret, no other elder and no process, by what the seat belt misses', async (t) => {
  const folder = tree(t);
  const made = join(folder.run, 'made.db');
  const attempts = [`sqlite=${made}`, `sqlite=${join(folder.secret, 'made.db')}`, `signal=${process.pid}`];
  const walled = await overreach(folder, 'task_sage', 'bubblewrap', attempts).catch(
    (error: unknown) => error,
  );
  if (walled instanceof Error) throw walled;
  assert.notEqual((walled as Record<string, unknown>)[attempts[0]!], 'made');
  assert.notEqual((walled as Record<string, unknown>)[attempts[1]!], 'made');
  assert.equal((walled as Record<string, unknown>)[attempts[2]!], 'ESRCH');
  const open = await overreach(folder, 'task_sage', 'none', attempts);
  assert.deepEqual(Object.values(open), ['made', 'made', true], 'control: without the boundary it does');
});

test('a sage that reads the project does not read the state of the tree in it', async (t) => {
  const folder = tree(t);
  const source = join(folder.project, 'source.txt');
  const attempts = [`read=${source}`, `list=${folder.root}`, `list=${folder.secret}`, `write=${source}`];
  const results = await overreach(folder, 'rag_sage', 'bubblewrap', attempts);
  assert.equal(results[attempts[0]!], 'source');
  assert.deepEqual(results[attempts[1]!], ['index', 'log']);
  assert.deepEqual([results[attempts[2]!], results[attempts[3]!]], ['ENOENT', 'ERR_ACCESS_DENIED']);
});
