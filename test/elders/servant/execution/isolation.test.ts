import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { detectSandbox } from '../../../../src/elders/servant/execution/sandbox.ts';
import { printed, repository, workbench } from './workbench.ts';

const execute = promisify(execFile);
const fixture = join(import.meta.dirname, 'fixture/run-and-print.ts');
const none = { sandbox: { kind: 'none' } } as const;

test('this host can make sandboxes, and says of which version', async () => {
  const sandbox = await detectSandbox();
  assert.equal(sandbox.kind, 'bubblewrap', 'reason' in sandbox ? sandbox.reason : '');
  assert.match('version' in sandbox ? sandbox.version : '', /^\d+\.\d+/);
});

test('the workspace is writable at its own path, all else is not', async (t) => {
  const { run, base, workspace } = workbench(t);
  const name = `probe-${randomUUID()}`;
  const outside = [join(repository, 'test', name), join(base, name), join('/usr', name)];
  // Where the checkout itself lies below a folder that the sandbox empties, the first two land in what is emptied.
  const tries = outside.map((path) => `touch ${path} 2>/dev/null || true`).join('; ');
  const result = await run(
    `echo kept > file; ${tries}; touch /usr/${name} 2>/dev/null || echo refused; touch /tmp/x ~/x && echo scratch`,
  );
  assert.equal(readFileSync(join(workspace, 'file'), 'utf8'), 'kept\n');
  assert.equal(printed(result), 'refused\nscratch\n');
  assert.deepEqual(outside.filter(existsSync), []);
});

test('paths of sandboxWritable are writable and must exist', async (t) => {
  const { run, base, elders, home } = workbench(t);
  const cache = join(base, 'cache');
  mkdirSync(cache);
  const sandbox = { kind: 'bubblewrap', masked: [elders], writable: [cache], network: false, home } as const;
  assert.equal((await run(`touch ${cache}/entry`, { sandbox })).outcome, 'succeeded');
  assert.equal(existsSync(join(cache, 'entry')), true);
  const absent = { ...sandbox, writable: [join(base, 'absent')] };
  assert.match((await run('true', { sandbox: absent })).reason!, /^malformed: sandboxWritable .*absent/);
});

test('the state folder of the tree is empty and read-only, by every name', async (t) => {
  const { run, elders, workspace, home, base } = workbench(t);
  writeFileSync(join(elders, 'secret'), 'CA key');
  symlinkSync(elders, join(workspace, 'link'));
  const look = 'set +e; cat .elders/secret link/secret; ls -A .elders link/; touch .elders/new; true';
  const hidden = await run(look);
  assert.doesNotMatch(printed(hidden), /CA key/);
  assert.equal(printed(hidden).match(/Read-only file system/g)?.length, 1, printed(hidden));
  assert.equal(existsSync(join(elders, 'secret')), true);
  assert.match(
    printed(await run('cat .elders/secret', none)),
    /CA key/,
    'control: the mask is what hides it',
  );

  const sandbox = { kind: 'bubblewrap', writable: [base], network: false, home } as const;
  const wider = await run('cat .elders/secret || true', { sandbox: { ...sandbox, masked: [elders] } });
  assert.doesNotMatch(printed(wider), /CA key/, 'a writable folder above does not uncover it');
  const absent = await run('true', { sandbox: { ...sandbox, masked: [join(base, 'absent')] } });
  assert.equal(absent.outcome, 'refused', 'what cannot be masked could appear later');
  const within = await run('true', { workspace: elders });
  assert.match(within.reason!, /lies within/);
});

test('a mask cannot be taken off', async (t) => {
  const { run, elders } = workbench(t);
  writeFileSync(join(elders, 'secret'), 'CA key');
  const attempts = await run(
    `set +e; umount -l .elders; for map in -Um -Urm; do unshare $map sh -c 'umount -l .elders; mount -o remount,rw /; cat .elders/secret; touch /usr/probe'; done
     mount -t tmpfs none /mnt; nsenter -t 1 -m cat .elders/secret; mknod disk b 254 0 && echo made a device; true`,
    { environment: { LC_ALL: 'C' } },
  );
  assert.doesNotMatch(printed(attempts), /CA key|made a device/);
  assert.match(printed(attempts), /must be superuser|not permitted|denied/i);
  assert.equal(existsSync('/usr/probe'), false);
});

test('settings of the host’s kernel cannot be opened for writing', async (t) => {
  const { run } = workbench(t);
  // Opens only: a probe that wrote would change the host where it succeeds.
  const files =
    'set +e; for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/sys/vm/drop_caches; do';
  const open = `${files} [ -e $f ] && ( : >> $f ) 2>/dev/null && echo open $f; done; true`;
  const result = await run(open);
  assert.deepEqual([result.outcome, printed(result)], ['succeeded', '']);
  if (process.geteuid?.() === 0) assert.match(printed(await run(open, none)), /open/, 'control');
});

test('the home is empty but for the tools on PATH, which are read-only', async (t) => {
  const { run, base, home, elders } = workbench(t);
  const node = join(home, '.nvm/versions/node/v1');
  for (const folder of ['bin', '.ssh', '.config']) mkdirSync(join(home, folder));
  for (const folder of ['bin', 'lib/node_modules/pkg']) mkdirSync(join(node, folder), { recursive: true });
  writeFileSync(join(home, '.ssh/id'), 'private key');
  writeFileSync(join(home, 'bin/tool'), '#!/bin/sh\necho tool runs', { mode: 0o755 });
  writeFileSync(join(node, 'lib/node_modules/pkg/cli'), '#!/bin/sh\necho package runs', { mode: 0o755 });
  symlinkSync('../lib/node_modules/pkg/cli', join(node, 'bin/cli'));
  const environment = { PATH: `${home}/bin:${node}/bin:${home}:/usr/bin:/bin` };
  const look =
    'echo $HOME; ls -A ~; cat ~/.ssh/id; tool; cli; touch ~/bin/x; touch ~/.cache-file && echo scratch';
  const result = await run(`set +e; ${look}`, { environment });
  const text = printed(result);
  assert.ok(text.startsWith(`${home}\n.nvm\nbin\n`), text);
  assert.match(text, /tool runs\npackage runs\n.*Read-only file system\nscratch\n/);
  assert.doesNotMatch(text, /private key/);
  assert.equal(existsSync(join(home, '.cache-file')), false);

  const elsewhere = {
    kind: 'bubblewrap',
    masked: [elders],
    writable: [],
    network: false,
    home: base,
  } as const;
  const within = await run('echo $HOME; touch ~/x', {
    sandbox: { ...elsewhere, home: join(base, 'project') },
  });
  assert.equal(printed(within), '/tmp/home\n', 'a home that is the workspace is no scratch folder');
  const shown = { ...elsewhere, home: elders, writable: [home] };
  const control = await run('cat ../home/.ssh/id', { sandbox: shown });
  assert.match(printed(control), /private key/, 'control: what is not hidden is read');
});

test('processes of the host are neither seen nor reached', async (t) => {
  const { run } = workbench(t);
  const look = `[ -d /proc/${process.pid} ] && grep -q Node /proc/${process.pid}/comm && echo seen; kill -0 ${process.pid}; ls -A /run; true`;
  assert.doesNotMatch(printed(await run(look)), /seen/);
  assert.match(printed(await run(`kill -0 ${process.pid} && echo reached`, none)), /reached/);
});

test('a descriptor that the servant inherited does not reach the command', async (t) => {
  const { options, run } = workbench(t);
  const look = 'ls /proc/$$/fd; true';
  for (const changes of [{}, none]) {
    assert.equal(printed(await run(look, changes)), '0\n1\n2\n');
    const command = JSON.stringify(options(look, changes));
    const leaky = 'exec 60</; ls /proc/$$/fd; exec "$@"';
    const { stdout } = await execute('bash', ['-c', leaky, 'sh', process.execPath, fixture, command]);
    assert.match(stdout, /^60\n(.*\n)*0\n1\n2\n$/m, 'control: the servant had it');
  }
});

test('the network is off unless it is asked for', async (t) => {
  const { run, elders, home } = workbench(t);
  const server = createServer((socket) => socket.end('hello\n')).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const connect = `exec 5<>/dev/tcp/127.0.0.1/${(server.address() as AddressInfo).port}; cat <&5`;
  const off = await run(connect);
  assert.equal(off.outcome, 'failed');
  assert.match(printed(off), /refused/i);
  const sandbox = { kind: 'bubblewrap', masked: [elders], writable: [], network: true, home } as const;
  assert.equal(printed(await run(connect, { sandbox })), 'hello\n');
});

test('the environment is emptied, and the task’s own variables reach only the command', async (t) => {
  const { run } = workbench(t);
  const before = { ...process.env };
  t.after(() => {
    process.env = before;
  });
  Object.assign(process.env, { NODE_OPTIONS: '--no-warnings', API_TOKEN: 'secret', LC_TIME: 'ja_JP.UTF-8' });
  const environment = { GREETING: 'こんにちは 世界', LD_PRELOAD: '/nonexistent.so', ELDERS_ATTEMPT: '99' };
  for (const changes of [{}, none]) {
    const text = printed(await run('env', { ...changes, environment }));
    assert.doesNotMatch(text, /NODE_OPTIONS|secret/);
    assert.match(text, /^GREETING=こんにちは 世界$/m);
    assert.match(text, /^LC_TIME=ja_JP.UTF-8$/m);
    assert.match(text, /^TERM=dumb$/m);
    assert.match(text, /^ELDERS_TASK_ID=task$/m);
    assert.match(text, /^ELDERS_DIRECTIVE_ID=directive$/m);
    assert.match(text, /^ELDERS_ATTEMPT=[12]$/m);
  }
});

test('where bubblewrap does not work the command is refused, not run without it', async (t) => {
  const { options, workspace } = workbench(t);
  const sandbox = await detectSandbox();
  assert.ok(sandbox.kind === 'bubblewrap');
  const command = JSON.stringify(options('touch begun'));
  const hidden = ['--dev-bind', '/', '/', '--ro-bind', '/dev/null', sandbox.path];
  const { stdout } = await execute(sandbox.path, [...hidden, process.execPath, fixture, command]);
  assert.match(stdout, /^refused: sandbox_unavailable: .*cannot make a sandbox here/);
  assert.equal(existsSync(join(workspace, 'begun')), false);
});
