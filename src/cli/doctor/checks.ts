import { execFile } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { detectSandbox } from '../../elders/servant/execution/sandbox.ts';
import { defaultConfig } from '../../protocol/config.ts';
import { ElderError } from '../../protocol/errors.ts';
import { redisPortOffset, roster } from '../../protocol/roster.ts';
import { possibleServants, startingServants } from '../../protocol/servant-pools.ts';
import { boundaryOf } from '../../supervision/isolation/boundary.ts';
import { requireFreePorts } from '../../supervision/manager/preflight.ts';
import { findLivingProcesses } from '../connection/living-processes.ts';
import { isListening } from '../connection/local-client.ts';
import type { Check, CheckName, Finding } from './check.ts';
import { checkGit } from './check-git.ts';

const run = promisify(execFile);

const wantedNode = 24;
/** ACL selectors and functions came with this version. */
const wantedRedis = 7;
const fsyncSamples = 20;
/** Above this a commit takes longer than people like to wait for one. */
const slowFsyncMs = 10;
/** The program cannot have been started before it was written. */
const earliestClock = Date.UTC(2026, 0, 1);

const ok = (detail: string): Finding => ({ state: 'ok', detail });
const warn = (detail: string): Finding => ({ state: 'warn', detail });
const fail = (detail: string): Finding => ({ state: 'fail', detail });

const checkNode: Check = async () => {
  const version = process.versions.node;
  return Number.parseInt(version, 10) >= wantedNode
    ? ok(version)
    : fail(`${version} is older than ${wantedNode}`);
};

const checkRedis: Check = async ({ loaded }) => {
  if (loaded?.config.redis !== undefined) return ok('elders.yaml names a Redis of your own');
  try {
    const { stdout } = await run('redis-server', ['--version'], { timeout: 10_000 });
    const version = /v=([\d.]+)/.exec(stdout)?.[1] ?? 'unknown';
    if (Number.parseInt(version, 10) >= wantedRedis) return ok(version);
    return fail(`${version} is older than ${wantedRedis}`);
  } catch (error) {
    return fail(`redis-server cannot be run: ${(error as Error).message}`);
  }
};

const checkSandbox: Check = async ({ loaded }) => {
  if (loaded?.config.sandbox === 'none')
    return warn('switched off: commands run with the rights of your user');
  const sandbox = await detectSandbox();
  return sandbox.kind === 'bubblewrap'
    ? ok(`${sandbox.path} ${sandbox.version} works`)
    : fail(sandbox.reason);
};

const checkIsolation: Check = async ({ session, loaded }) => {
  const question = { folder: session.folder, config: loaded?.config ?? defaultConfig };
  const found = await Promise.all(
    ['task_sage', 'servant_1'].map((name) => boundaryOf({ name, ...question }).catch(asReason)),
  );
  const [elder, servant] = found;
  if (elder?.kind !== 'bubblewrap') return warn(elder?.reason ?? 'none');
  if (servant?.kind !== 'bubblewrap') return warn(`bubblewrap, but ${servant?.reason}`);
  return ok(`bubblewrap around every elder${servant.tools ? ', each as a user of its own' : ''}`);
};

function asReason(error: unknown): { kind: 'none'; reason: string } {
  return { kind: 'none', reason: (error as Error).message };
}

const checkConfig: Check = async ({ session }) => {
  try {
    const { project } = await session.config();
    return ok(project.file ?? 'no elders.yaml; defaults');
  } catch (error) {
    if (error instanceof ElderError) return fail(error.reason);
    throw error;
  }
};

const checkFolder: Check = async ({ session }) => {
  const { root } = session.folder;
  if (!existsSync(root)) return ok(`${root} does not exist yet`);
  const open: string[] = [];
  for (const path of [root, ...(await readdir(root)).map((name) => join(root, name))]) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory() && (stat.mode & 0o077) !== 0) open.push(path);
  }
  const foreign = process.getuid !== undefined && statSync(root).uid !== process.getuid();
  if (foreign) return fail(`${root} belongs to another user`);
  return open.length === 0 ? ok(`${root} is yours alone`) : fail(`others may enter ${open.join(', ')}`);
};

const checkPorts: Check = async ({ session, loaded }) => {
  const config = loaded?.config ?? defaultConfig;
  const { host, portBase, redis } = config;
  if (await isListening(session.folder.managerSocket)) return ok('held by this tree, which runs');
  const own = new Set(
    findLivingProcesses(session.folder).flatMap(({ kind, identity }) =>
      kind === 'process' ? [identity.port] : [],
    ),
  );
  const portsOf = (servants: number[]) =>
    roster(servants)
      .map(({ name, portOffset }) => ({ name, port: portBase + portOffset }))
      .filter(({ port }) => !own.has(port));
  const needed = portsOf(startingServants(config));
  const redisPort = portBase + redisPortOffset;
  if (redis === undefined && !own.has(redisPort)) needed.push({ name: 'redis', port: redisPort });
  const now = await takenPorts(host, needed);
  if (now !== null) return fail(now);
  // Of servants that there may be only later.
  const soon = new Set(needed.map(({ port }) => port));
  const possible = portsOf(possibleServants(config)).filter(({ port }) => !soon.has(port));
  const later = await takenPorts(host, possible);
  if (later !== null) return warn(`the tree can start, but not grow to all its servants: ${later}`);
  return ok(`${needed.length + possible.length} ports from ${portBase} on ${host} are free`);
};

/** Says which of these ports are taken; `null` where none is. */
async function takenPorts(
  host: string,
  ports: Parameters<typeof requireFreePorts>[1],
): Promise<string | null> {
  try {
    await requireFreePorts(host, ports);
    return null;
  } catch (error) {
    if (error instanceof ElderError) return error.reason;
    throw error;
  }
}

const checkFsync: Check = async ({ session }) => {
  const base = existsSync(session.folder.root) ? session.folder.root : session.folder.project;
  const folder = mkdtempSync(join(base, '.elders-doctor-'));
  try {
    const fd = openSync(join(folder, 'probe'), 'w', 0o600);
    const times: number[] = [];
    for (let sample = 0; sample < fsyncSamples; sample++) {
      writeSync(fd, Buffer.alloc(512, sample));
      const started = performance.now();
      fdatasyncSync(fd);
      times.push(performance.now() - started);
    }
    closeSync(fd);
    const median = times.sort((a, b) => a - b)[fsyncSamples / 2] ?? 0;
    const detail = `fdatasync takes ${median.toFixed(2)} ms (median of ${fsyncSamples}) in ${base}`;
    return median > slowFsyncMs ? warn(detail) : ok(detail);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const checkClock: Check = async ({ session }) => {
  const now = Date.now();
  if (now < earliestClock) return fail(`${new Date(now).toISOString()} is long past`);
  const newest = statSync(session.folder.tree, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const back = Math.round((newest - now) / 1_000);
  if (back > 1) return warn(`the clock is ${back} s behind what it was when this tree was made`);
  return ok(new Date(now).toISOString());
};

/** Every check by its name. */
export const checks: Readonly<Record<CheckName, Check>> = {
  node: checkNode,
  redis: checkRedis,
  git: checkGit,
  sandbox: checkSandbox,
  isolation: checkIsolation,
  config: checkConfig,
  folder: checkFolder,
  ports: checkPorts,
  fsync: checkFsync,
  clock: checkClock,
};
