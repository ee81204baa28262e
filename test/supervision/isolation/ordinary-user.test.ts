import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const fixture = join(import.meta.dirname, 'fixture/as-ordinary-user.ts');
const nobody = 65_534;
const asNobody = process.geteuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
const readable = spawnSync(process.execPath, ['-e', `require('node:fs').statSync('${fixture}')`], asNobody);

test('a servant of an ordinary user is walled off and still makes sandboxes for commands', {
  skip: readable.status === 0 ? false : 'the checkout cannot be read by an ordinary user',
}, (t) => {
  const project = realpathSync(mkdtempSync('/var/tmp/elders-ordinary-'));
  t.after(() => rmSync(project, { recursive: true, force: true }));
  chmodSync(project, 0o755);
  if (asNobody.uid !== undefined) chownSync(project, nobody, nobody);
  const { stdout, stderr } = spawnSync(process.execPath, [fixture, project], {
    ...asNobody,
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin' },
  });
  assert.notEqual(stdout, '', stderr);
  const seen = (JSON.parse(stdout) as { stdout: string }).stdout.trim().split('\n').slice(1);
  // Its own folders, and no secret; the shell and what it starts; then the command's shell and what that starts.
  const folders = ['artifacts', 'log', 'output', 'run', 'worktrees'];
  const [own, unreached, inner, sandboxed] = seen.slice(folders.length);
  assert.deepEqual(seen.slice(0, folders.length), folders, stdout);
  assert.ok(Number(own) <= 4, stdout);
  assert.equal(unreached, 'unreached');
  assert.ok(Number(inner) <= 5, stdout);
  assert.equal(sandboxed, 'sandboxed');
});
