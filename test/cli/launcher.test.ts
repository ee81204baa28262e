import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runCommand } from '../support/command.ts';
import { program, temporaryFolder } from './elders-command.ts';

/** Makes the running Node.js look like an old one to the launcher, before it is read. */
function oldNode(context: TestContext): { cwd: string; args: string[] } {
  const cwd = temporaryFolder(context);
  const preload = join(cwd, 'old.cjs');
  const versions = "Object.assign({}, process.versions, { node: '20.19.0' })";
  writeFileSync(preload, `Object.defineProperty(process, 'versions', { value: ${versions} });\n`);
  return { cwd, args: ['--require', preload, program, '--version'] };
}

const { PATH = '', HOME = '' } = process.env;
const version = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')).version;

test('an old Node.js is told what to do, in one line', async (context) => {
  const { cwd, args } = oldNode(context);
  const { code, stdout, stderr } = await runCommand(process.execPath, args, { cwd, env: { PATH, HOME } });
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(
    stderr,
    /^elders: needs Node\.js 24 or newer; this is 20\.19\.0\. .*ELDERS_NODE.*以降が必要です.*\n$/,
  );
  assert.equal(stderr.trim().split('\n').length, 1);
});

test('an old Node.js hands over to the one that ELDERS_NODE names', async (context) => {
  const { cwd, args } = oldNode(context);
  const env = { PATH, HOME, ELDERS_NODE: process.execPath };
  assert.deepEqual(await runCommand(process.execPath, args, { cwd, env }), {
    code: 0,
    stdout: `${version}\n`,
    stderr: '',
  });
});

test('what ELDERS_NODE names must be there', async (context) => {
  const { cwd, args } = oldNode(context);
  const env = { PATH, HOME, ELDERS_NODE: join(cwd, 'none') };
  const { code, stderr } = await runCommand(process.execPath, args, { cwd, env });
  assert.equal(code, 1);
  assert.match(stderr, /^elders: ELDERS_NODE=.*ENOENT/);
});

test('the exit code of the other Node.js is passed on', async (context) => {
  const { cwd, args } = oldNode(context);
  const env = { PATH, HOME, ELDERS_NODE: process.execPath };
  const { code } = await runCommand(process.execPath, [...args.slice(0, 3), 'frobnicate'], { cwd, env });
  assert.equal(code, 2);
});
