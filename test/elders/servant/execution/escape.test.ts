import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { CommandLimits } from '../../../../src/elders/servant/execution/limits.ts';
import { defaultConfig } from '../../../../src/protocol/config.ts';
import { newMarker, printed, processesWith, workbench } from './workbench.ts';

const limited = (changes: Partial<CommandLimits>) => ({
  limits: { ...defaultConfig.sandboxLimits, ...changes },
});
const none = { sandbox: { kind: 'none' } } as const;

// Never a bomb that grows without end: where the guard fails, a test must not take the machine down.
test('processes are bounded, and all of them end with the command', async (t) => {
  const { run } = workbench(t);
  const marker = newMarker();
  const many = `sh -c 'n=0; while [ $n -lt 300 ]; do sleep 1000 & n=$((n + 1)); echo $n; done; exit 9' ${marker}`;
  const result = await run(many, limited({ processes: 100 }));
  assert.equal(result.outcome, 'failed');
  assert.notEqual(result.exitCode, 9);
  assert.doesNotMatch(printed(result), /^2\d\d$/m);
  assert.deepEqual(processesWith(marker), []);
  assert.equal((await run(many, limited({ processes: 1_000 }))).exitCode, 9, 'control');
});

test('memory is bounded over all processes of a command', async (t) => {
  const { run } = workbench(t);
  const hog = `node -e 'const held = Buffer.alloc(120e6, 1); setTimeout(() => held, 6e4)'`;
  const result = await run(`${hog} & ${hog} & ${hog} & wait`, limited({ memory: 300_000_000 }));
  assert.match(result.reason!, /over its limit: more than 300 MB of memory/);
  const control = await run(`node -e 'Buffer.alloc(120e6, 1)'`, limited({ memory: 1_000_000_000 }));
  assert.equal(control.outcome, 'succeeded', control.reason ?? '');
});

test('memory is bounded for a process alone, at once', async (t) => {
  const { run } = workbench(t);
  // Not touched, so that the test itself takes none.
  const greedy = `node -e 'Buffer.allocUnsafeSlow(2e9)' 2>/dev/null || echo refused`;
  assert.equal(printed(await run(greedy, limited({ memory: 600_000_000 }))), 'refused\n');
  assert.equal(printed(await run(greedy, limited({ memory: 4_000_000_000 }))), '', 'control');
});

test('CPU time is bounded over all processes of a command', async (t) => {
  const { run } = workbench(t);
  const result = await run('(while :; do :; done) & while :; do :; done', limited({ cpuTime: 500 }));
  assert.match(result.reason!, /over its limit: more than 0.5 s of CPU time/);
});

test('no disk is filled: temporary folders, a file, and the disk of the workspace are bounded', async (t) => {
  const { run, workspace } = workbench(t);
  const fill = `for f in /tmp/x /var/tmp/x ~/x; do head -c 5000000 /dev/zero > $f 2>/dev/null || echo full; done`;
  assert.equal(printed(await run(fill, limited({ temporary: 1_000_000 }))), 'full\nfull\nfull\n');
  assert.equal(printed(await run(fill, limited({ temporary: 50_000_000 }))), '', 'control');
  const large = await run('head -c 5000000 /dev/zero > large', limited({ fileSize: 1_000_000 }));
  assert.equal(large.signal, 'SIGXFSZ');
  assert.ok(statSync(join(workspace, 'large')).size <= 1_000_448);
  const scarce = await run('sleep 1000', limited({ diskReserve: Number.MAX_SAFE_INTEGER }));
  assert.match(scarce.reason!, /over its limit: less than .* left on the disk/);
});

test('neither links nor .. lead out of the workspace', async (t) => {
  const { run, base, workspace } = workbench(t);
  const other = join(base, 'other');
  mkdirSync(other);
  writeFileSync(join(other, 'file'), 'other project');
  symlinkSync(other, join(workspace, 'absolute'));
  symlinkSync('../other', join(workspace, 'relative'));
  const out = `for way in absolute relative ../other ${other} /proc/self/cwd/../other /proc/1/root${other}; do
    cat $way/file; echo overwritten > $way/file; touch $way/new; done; ls -A ..; true`;
  const result = await run(`exec 2>/dev/null; set +e; ${out}`);
  assert.equal(printed(result), 'home\nproject\n', 'of its neighbours it sees the home, emptied');
  assert.equal(readFileSync(join(other, 'file'), 'utf8'), 'other project');
  assert.equal(existsSync(join(other, 'new')), false);
  assert.match(printed(await run('cat relative/file', none)), /other project/, 'control');
});

test('a link that the command leaves behind is not followed by its output', async (t) => {
  const { run, elders, workspace } = workbench(t);
  const victim = join(workspace, 'victim');
  writeFileSync(victim, 'precious');
  const { output } = await run('echo first');
  assert.ok(output && dirname(dirname(output.path)).startsWith(elders));
  await run(`ln -s ${victim} .elders/output 2>/dev/null; true`);
  assert.equal(readFileSync(victim, 'utf8'), 'precious');
});

test('what only root may read of the system is not read', { skip: process.geteuid?.() !== 0 }, async (t) => {
  const { run } = workbench(t);
  const read = 'grep -c root /etc/shadow 2>/dev/null || true';
  assert.notEqual(printed(await run(read)), '1\n');
  assert.equal(printed(await run(read, none)), '1\n', 'control');
});
