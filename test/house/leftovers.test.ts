import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { processesTouching } from '../../scripts/processes-touching.ts';
import { cleanEnvironment, runCommand } from '../support/command.ts';

const forever = 'setInterval(() => {}, 1e6)';
const root = resolve(import.meta.dirname, '../..');
let folder: string;

before(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'left-')));
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

describe('the search for processes that were left behind', { skip: process.platform !== 'linux' }, () => {
  const ways: Readonly<Record<string, () => ChildProcess>> = {
    'command line': () => spawn(process.execPath, ['-e', forever, folder], { env: {} }),
    'working folder': () => spawn(process.execPath, ['-e', forever], { cwd: folder, env: {} }),
    environment: () => spawn(process.execPath, ['-e', forever], { env: { SOMETHING: `${folder}/below` } }),
    'file descriptor 1': () => {
      const fd = openSync(join(folder, 'output'), 'w');
      const child = spawn(process.execPath, ['-e', forever], { env: {}, stdio: ['ignore', fd, 'ignore'] });
      closeSync(fd);
      return child;
    },
  };
  for (const [way, start] of Object.entries(ways)) {
    it(`finds one by its ${way}, and nothing once it has ended`, async () => {
      const child = start();
      await once(child, 'spawn');
      const found = processesTouching(folder);
      await end(child);
      assert.deepEqual(
        found.map(({ pid, by }) => ({ pid, by })),
        [{ pid: child.pid, by: way }],
      );
      assert.deepEqual(processesTouching(folder), []);
    });
  }

  it('does not take a folder for another whose name begins alike', async () => {
    const child = spawn(process.execPath, ['-e', forever, `${folder}-other`], { env: {} });
    await once(child, 'spawn');
    const found = processesTouching(folder);
    await end(child);
    assert.deepEqual(found, []);
  });
});

describe('the test command', { skip: process.platform !== 'linux' }, () => {
  async function runTests(name: string, text: string, grace = '30000') {
    const file = join(folder, name);
    writeFileSync(file, text);
    const env = { ...cleanEnvironment(), TMPDIR: folder, ELDERS_TEST_GRACE_MS: grace };
    return runCommand(process.execPath, [join(root, 'scripts/run-tests.ts'), file], { cwd: root, env });
  }
  const clean = "import { test } from 'node:test';\ntest('passes', () => {});\n";

  it('passes when no process is left, and prints the usual closing lines', async () => {
    const { code, stdout } = await runTests('clean.test.ts', clean);
    assert.equal(code, 0);
    assert.match(stdout, /^ℹ pass 1$/m);
  });

  it('fails, names and ends a process that a passing test left', async () => {
    const leak = `import { spawn } from 'node:child_process';
      import { once } from 'node:events';
      const child = spawn(process.execPath, ['-e', '${forever}'], { detached: true, stdio: 'ignore' });
      await once(child, 'spawn');
      child.unref();`;
    const { code, stdout, stderr } = await runTests('leak.test.ts', clean + leak, '500');
    assert.match(stdout, /^ℹ pass 1$/m);
    assert.equal(code, 1);
    assert.match(stderr, /^left behind: pid \d+ \(by its environment\): .*setInterval/m);
    assert.deepEqual(processesTouching(folder), []);
  });

  it('fails when no test file matches', async () => {
    const { code, stderr } = await runCommand(
      process.execPath,
      [join(root, 'scripts/run-tests.ts'), 'test/nothing-here/**/*.test.ts'],
      { cwd: root },
    );
    assert.equal(code, 2);
    assert.match(stderr, /No test file matches/);
  });
});
