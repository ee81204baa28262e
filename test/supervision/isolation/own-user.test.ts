import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { limitLines } from '../../../src/elders/servant/execution/limits.ts';
import { type Config, defaultConfig } from '../../../src/protocol/config.ts';
import { type StateFolder, stateFolder } from '../../../src/protocol/state-folder.ts';
import { boundaryOf } from '../../../src/supervision/isolation/boundary.ts';
import { elderCommand } from '../../../src/supervision/isolation/elder-command.ts';
import { unusedUser } from '../../../src/supervision/isolation/own-user/own-user.ts';

const skip = process.geteuid?.() === 0 ? false : 'only root can make a process that of another user';
const first = defaultConfig.elderUsers;

function tree(t: TestContext): StateFolder {
  const project = realpathSync(mkdtempSync(join(tmpdir(), 'elders-own-user-')));
  t.after(() => rmSync(project, { recursive: true, force: true }));
  const folder = stateFolder(project);
  for (const path of [folder.secret, folder.run, folder.output]) mkdirSync(path, { recursive: true });
  chmodSync(folder.root, 0o700);
  writeFileSync(join(folder.secret, 'ca.key'), 'CA key', { mode: 0o600 });
  return folder;
}

/** What a shell that took the place of an elder says of each attempt: its name, and what came of it. */
async function attempt(
  folder: StateFolder,
  name: string,
  isolation: Config['isolation'],
  attempts: Readonly<Record<string, string>>,
  change: Partial<Config> = {},
): Promise<Record<string, string>> {
  const script = Object.entries(attempts)
    .map(([what, command]) => `printf '%s=%s\\n' '${what}' "$( (${command}) 2>&1 | tail -1)"`)
    .join('\n');
  const program = {
    command: '/bin/sh',
    args: () => ['-c', script],
    files: { program: [], cache: join(folder.root, 'cache') },
  };
  const command = await elderCommand({
    name,
    folder,
    program,
    config: { ...defaultConfig, ...change, isolation },
  });
  // The seat belt is Node's, and this is a shell.
  const args = command.args.filter((arg) => !/^--(permission|allow-|disable-(sigusr1|warning))/.test(arg));
  const report = openSync(join(folder.run, 'report'), 'w');
  const { stdout, stderr } = spawnSync(command.file, args, {
    cwd: folder.project,
    stdio: ['ignore', 'pipe', 'pipe', 'ignore', report],
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });
  assert.notEqual(stdout, '', stderr);
  return Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

/** So few processes that a command meets the limit at once. */
const limits = { ...defaultConfig.sandboxLimits, processes: 4 };

const sandbox = 'bwrap --unshare-pid --unshare-net --ro-bind / / --proc /proc';

/** As a program that is the elder would do it: with all capabilities of a user namespace of its own. */
const inNamespace = (calls: string) =>
  `perl -e 'sub call { my @given = map { /^\\d+$/ ? $_+0 : "$_\\0" } @_; syscall(shift @given, @given) }
    call(${process.arch === 'arm64' ? 97 : 272}, ${0x10000000 | 0x20000 | 0x2000000}) == 0 or die "no namespace"; ${calls}'`;
const mount = process.arch === 'arm64' ? 40 : 165;
const unmount = process.arch === 'arm64' ? 39 : 166;

test('a servant of root is a user of its own, which works as root does where work is and makes sandboxes', {
  skip,
}, async (t) => {
  const folder = tree(t);
  const seen = await attempt(folder, 'servant_1', 'bubblewrap', {
    user: 'id -u',
    name: 'id -un',
    capabilities: 'grep CapEff /proc/self/status | tr -d "[:space:]"',
    work: 'echo done > made && cat made',
    owner: 'stat -c %u made',
    own: `echo done > ${join(folder.run, 'servant_1', 'made')} && echo kept`,
    sandboxed: `${sandbox} --bind $PWD $PWD sh -c "echo done > inner && id -u"`,
    limited: `${sandbox} sh -c '${limitLines(limits, true)}; for n in 1 2 3 4 5 6 7 8; do sleep 5 & done' 2>&1 | grep -c fork`,
  });
  const user = Number(seen.user);
  assert.ok(user >= first && user < first + 256, String(user));
  assert.equal(seen.name, `elders${user - first}`);
  assert.equal(seen.capabilities, 'CapEff:0000000000000000');
  assert.deepEqual([seen.work, seen.own, seen.sandboxed, seen.owner], ['done', 'kept', seen.user, seen.user]);
  assert.ok(Number(seen.limited) > 0, 'what binds no process of root binds it');
  for (const file of ['made', 'inner']) {
    assert.equal(statSync(join(folder.project, file)).uid, 0, 'what belongs to root on the disk');
  }
});

test('a servant of root reaches no secret, socket, process or setting, and a namespace of its own does not help', {
  skip,
}, async (t) => {
  const folder = tree(t);
  const server = createServer((socket) => socket.end('answered\n'));
  await new Promise<void>((resolve) => server.listen(folder.managerSocket, resolve));
  t.after(() => server.close());
  const marked = '/etc/cron.d/elders-escape';
  t.after(() => rmSync(marked, { force: true }));
  const secret = join(folder.secret, 'ca.key');
  const attempts = {
    secret: `cat ${secret}`,
    socket: `ls ${folder.managerSocket}`,
    process: `kill -0 ${process.pid} && echo reached || echo refused`,
    environment: `cat /proc/${process.pid}/environ && echo read`,
    shadow: 'cat /etc/shadow && echo read',
    cron: `touch ${marked} && echo made`,
    memory: `${inNamespace('open my $h, "+<", "/proc/sys/kernel/core_pattern" or die "refused"; print "open"')}`,
    unmask: inNamespace(`call(${unmount}, "${folder.root}", 2); print -e "${secret}" ? "seen" : "refused"`),
    fresh: inNamespace(
      `mkdir "p"; call(${mount}, "proc", "p", "proc", 0, 0); print -e "p/${process.pid}/environ" ? "seen" : "refused"`,
    ),
    groups: inNamespace(
      `mkdir "c"; call(${mount}, "none", "c", "cgroup2", 0, 0); print open(my $h, ">>", "c/cgroup.procs") ? "open" : "refused"`,
    ),
  };
  const walled = await attempt(folder, 'servant_1', 'bubblewrap', attempts);
  for (const [what, result] of Object.entries(walled)) {
    assert.match(result, /refused|No such|denied|no namespace/i, `${what}: ${result}`);
  }
  const open = await attempt(folder, 'servant_1', 'none', {
    secret: attempts.secret,
    socket: attempts.socket,
    process: attempts.process,
    environment: `cat /proc/${process.pid}/environ > /dev/null && echo read`,
    memory: 'test -w /proc/sys/kernel/core_pattern && echo writable',
    shadow: 'test -r /etc/shadow && echo readable',
  });
  assert.deepEqual(
    open,
    {
      secret: 'CA key',
      socket: folder.managerSocket,
      process: 'reached',
      environment: 'read',
      memory: 'writable',
      shadow: 'readable',
    },
    'control: without the boundary it does',
  );
});

test('the other elders of root are users of their own too, of which none has another process', {
  skip,
}, async (t) => {
  const folder = tree(t);
  const seen = await attempt(folder, 'task_sage', 'bubblewrap', {
    user: 'id -u',
    settings: 'echo x > /proc/sys/kernel/core_pattern && echo written',
    log: `echo line > ${join(folder.log, 'task_sage', 'made')} && echo kept`,
  });
  assert.ok(Number(seen.user) >= first, String(seen.user));
  assert.match(seen.settings ?? '', /denied/);
  assert.equal(seen.log, 'kept');
  assert.equal(readFileSync(join(folder.log, 'task_sage', 'made'), 'utf8'), 'line\n');
  const users = Array.from({ length: 20 }, () => unusedUser(first));
  assert.equal(new Set(users).size, 20, 'no two that are started at once have the same');
});

test('where the project is not root’s, servants have no boundary, and one that is demanded is refused', {
  skip,
}, async (t) => {
  const folder = tree(t);
  chownSync(folder.project, 65_534, 65_534);
  const question = { name: 'servant_1', folder };
  const found = await boundaryOf({ ...question, config: { ...defaultConfig, isolation: 'auto' } });
  assert.equal(found.kind, 'none');
  assert.match(found.kind === 'none' ? found.reason : '', /belongs to user 65534: run the tree as that user/);
  await assert.rejects(boundaryOf({ ...question, config: { ...defaultConfig, isolation: 'bubblewrap' } }), {
    code: 'sandbox_unavailable',
  });
  const sage = await attempt(folder, 'task_sage', 'auto', {
    user: 'id -u',
    capabilities: 'grep CapEff /proc/self/status | tr -d "[:space:]"',
    settings: 'test -w /proc/sys/kernel/core_pattern || echo refused',
    secret: `ls ${folder.secret} || echo refused`,
  });
  const asBefore = {
    user: '0',
    capabilities: 'CapEff:0000000000000000',
    settings: 'refused',
    secret: 'refused',
  };
  assert.deepEqual(sage, asBefore, 'the others are root without its power then');
});

test('a servant works in the folders of the home but writes nothing that runs programs in its user’s name', {
  skip,
}, async (t) => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'elders-home-')));
  const before = process.env.HOME;
  process.env.HOME = home;
  t.after(() => {
    process.env.HOME = before;
    rmSync(home, { recursive: true, force: true });
  });
  for (const name of ['.ssh', 'work', '.cache']) mkdirSync(join(home, name));
  writeFileSync(join(home, '.bashrc'), '');
  const folder = tree(t);
  const attempts = {
    startup: `echo x >> ${home}/.bashrc && echo written`,
    fresh: `touch ${home}/.bash_profile && echo written`,
    keys: `touch ${home}/.ssh/authorized_keys && echo written`,
    work: `touch ${home}/work/file && echo written`,
    cache: `touch ${home}/.cache/file && echo written`,
  };
  const writable = { sandboxWritable: [join(home, '.cache')] };
  const walled = await attempt(folder, 'servant_1', 'bubblewrap', attempts, writable);
  for (const what of ['startup', 'fresh', 'keys']) assert.match(walled[what] ?? '', /Read-only/i, what);
  assert.deepEqual([walled.work, walled.cache], ['written', 'written']);
  const open = await attempt(folder, 'servant_1', 'bubblewrap', attempts, { sandbox: 'none' });
  assert.deepEqual(
    Object.values(open),
    Object.keys(attempts).map(() => 'written'),
    'control',
  );
});
