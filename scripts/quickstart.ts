import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { findLivingProcesses } from '../src/cli/connection/living-processes.ts';
import { defaultConfig } from '../src/protocol/config.ts';
import { exitCodes } from '../src/protocol/exit-codes.ts';
import type { ProcessIdentity } from '../src/protocol/process.ts';
import { stateFolder } from '../src/protocol/state-folder.ts';
import { isSameProcess, readProcessIdentity, waitUntilGone } from '../src/telemetry/process-identity.ts';
import { freePortBase } from './free-port-base.ts';

const project = resolve(import.meta.dirname, '..');
const command = join(project, 'bin/elders.cjs');
const directive = 'examples/release-check.yaml';
const question = 'release check';
const folder = stateFolder(project);
/** How long a process may take to vanish after `elders down` has returned (ms). */
const graceMs = 3_000;

let interrupted = false;
let current: ChildProcess | undefined;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Runs `elders` as a user would, its output on this terminal or, with `quiet`, as the result. */
function elders(args: readonly string[], quiet = false): Promise<{ code: number; stdout: string }> {
  if (!quiet) say(`\n$ elders ${args.map((arg) => (/\s/.test(arg) ? `"${arg}"` : arg)).join(' ')}`);
  const child = spawn(process.execPath, [command, ...args], {
    cwd: project,
    stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'ignore' : 'inherit'],
    // In its own session, a Ctrl-C of the terminal reaches this process only, which decides what to stop.
    detached: true,
  });
  current = args[0] === 'down' ? undefined : child;
  let stdout = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  return new Promise((done, failed) => {
    child.once('error', failed);
    child.once('close', (code) => {
      current = undefined;
      done({ code: code ?? exitCodes.interrupted, stdout });
    });
  });
}

function parseJson(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Named extends ProcessIdentity {
  readonly name: string;
}

/** Every living process of the tree: those that the manager keeps a record of, and the manager. */
async function treeProcesses(): Promise<Named[]> {
  const found: Named[] = findLivingProcesses(folder).map(({ name, identity }) => ({ ...identity, name }));
  const status = parseJson((await elders(['status', '--json'], true)).stdout);
  const manager = readProcessIdentity(status?.manager?.pid ?? 0);
  const known = found.some(({ pid }) => pid === manager?.pid);
  if (manager !== undefined && !known) found.push({ ...manager, name: 'manager' });
  return found;
}

/** Waits for processes to end; gives those that have not after the grace time. */
async function stillAlive(processes: readonly Named[]): Promise<Named[]> {
  const ends = processes.map((identity) => waitUntilGone(identity, graceMs).catch(() => undefined));
  await Promise.all(ends);
  return processes.filter(isSameProcess);
}

/** Gives the id of the directive that was submitted last. */
async function newestDirective(): Promise<string | undefined> {
  const { stdout } = await elders(['directive', 'list', '--json'], true);
  const list: { id: string; submittedAt: number }[] = parseJson(stdout)?.directives ?? [];
  return list.toSorted((a, b) => b.submittedAt - a.submittedAt)[0]?.id;
}

/** Starts the tree and has it carry out the directive. Gives the exit code of the step that failed, or 0. */
async function mainJob(portBase: number): Promise<number> {
  const steps: (() => Promise<number>)[] = [
    async () => (await elders(['up', '-d', '--wait', '--port-base', String(portBase)])).code,
    async () => (await elders(['status'])).code,
    async () => (await elders(['directive', 'submit', directive, '--wait'])).code,
    async () => (await elders(['ask', 'knowledge', question, '--limit', '1'])).code,
  ];
  for (const step of steps) {
    const code = await step();
    if (interrupted) return exitCodes.interrupted;
    if (code !== exitCodes.ok) return code;
  }
  return exitCodes.ok;
}

function whereToLook(id: string | undefined): void {
  const lines = [
    ['npx elders up -d --wait', 'start the tree again (npx elders down stops it)'],
    ['npx elders status', 'every process, its state and its restarts'],
    [`npx elders directive show ${id ?? 'ID'}`, 'each task, its attempts and its output'],
    [`npx elders trace ${id ?? 'ID'}`, 'the whole story, message by message'],
    ['npx elders logs task_sage', 'what one process wrote'],
    ['docs/guides/getting-started.md', 'the next steps'],
  ] as const;
  const width = Math.max(...lines.map(([left]) => left.length));
  say('\nWhere to look next:');
  for (const [left, right] of lines) say(`  ${left.padEnd(width)}  ${right}`);
}

async function main(): Promise<number> {
  if ((await treeProcesses()).length > 0) {
    say('A tree is already running in this folder; stop it with `npx elders down` and try again.');
    return exitCodes.failed;
  }
  const wanted = defaultConfig.portBase;
  const portBase = await freePortBase(wanted, defaultConfig.servants);
  if (portBase !== wanted) say(`A port of the tree at ${wanted} is taken; using port base ${portBase}.`);
  const started = performance.now();
  let code: number = exitCodes.failed;
  let id: string | undefined;
  let processes: Named[] = [];
  try {
    code = await mainJob(portBase);
    id = await newestDirective();
  } finally {
    processes = await treeProcesses();
    const down = await elders(['down']);
    if (down.code !== exitCodes.ok && down.code !== exitCodes.not_running) code ||= down.code;
  }
  const left = await stillAlive(processes);
  for (const { name, pid } of left) say(`Still alive after \`elders down\`: ${name}, pid ${pid}`);
  if (left.length > 0) code ||= exitCodes.failed;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (code === exitCodes.ok) {
    say(`\nThe directive completed; its ${processes.length} processes are gone. ${seconds} s in all.`);
    whereToLook(id);
  } else say(`\nThe quickstart ${interrupted ? 'was interrupted' : `failed (exit code ${code})`}.`);
  return code;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (!interrupted) say('\nStopping the tree …');
    interrupted = true;
    current?.kill('SIGINT');
  });
}
process.exitCode = await main();
