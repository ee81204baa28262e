import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isInstalled } from '../../support/installed.ts';
import { callElders, temporaryFolder } from '../elders-command.ts';

const verifier = { skip: isInstalled('systemd-analyze') ? false : 'systemd-analyze is not installed' };

/** What systemd has against a unit; empty when nothing. */
function complaints(unit: string): string {
  return spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' }).stderr;
}

async function exportUnit(context: TestContext, args: readonly string[] = []): Promise<string> {
  // What a path of a project may hold, and systemd gives a meaning to.
  const project = join(temporaryFolder(context), `my %h "pro$ject"`);
  mkdirSync(project);
  writeFileSync(join(project, 'elders.yaml'), '{}');
  const called = await callElders(['export', 'systemd', '--output', '../units', '--json', ...args], {
    cwd: project,
  });
  assert.equal(called.code, 0, called.stderr);
  return (JSON.parse(called.stdout) as { path: string }).path;
}

test('systemd has nothing against the unit of a tree', verifier, async (context) => {
  const path = await exportUnit(context);
  assert.equal(complaints(path), '');
  const broken = join(temporaryFolder(context), 'broken.service');
  writeFileSync(broken, readFileSync(path, 'utf8').replace('KillMode=process', 'KillMode=nobody'));
  assert.match(complaints(broken), /KillMode|nobody/, 'it would complain');
});

test('the unit stops the manager only, so that the next one finds the elders alive', async (context) => {
  const unit = readFileSync(await exportUnit(context), 'utf8');
  assert.match(unit, /^KillMode=process$/m);
  assert.match(unit, /^Restart=on-failure$/m);
  assert.match(unit, /^OOMPolicy=continue$/m);
  assert.match(unit, /^User=/m);
});

test('a unit of a user names no user', async (context) => {
  const unit = readFileSync(await exportUnit(context, ['--user']), 'utf8');
  assert.doesNotMatch(unit, /^User=/m);
  assert.match(unit, /^WantedBy=default.target$/m);
});

test('without systemd-notify the unit does not wait for a word that never comes', async (context) => {
  const project = temporaryFolder(context);
  writeFileSync(join(project, 'elders.yaml'), '{}');
  const called = await callElders(['export', 'systemd'], { cwd: project, env: { PATH: '/nonexistent' } });
  assert.equal(called.code, 0, called.stderr);
  assert.match(called.stdout, /^Type=exec$/m);
  assert.doesNotMatch(called.stdout, /Watchdog/);
  assert.match(called.stderr, /systemd-notify/);
});

test('an init system that is not known is a usage error', async (context) => {
  const called = await callElders(['export', 'systemc'], { cwd: temporaryFolder(context) });
  assert.equal(called.code, 2);
  assert.match(called.stderr, /systemd/);
});
