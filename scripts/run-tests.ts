import { spawn } from 'node:child_process';
import { globSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { processesTouching } from './processes-touching.ts';

/** How long a test file may take (ms): a backstop against a hang, not a budget. */
const fileTimeoutMs = 15 * 60_000;
/** How long a process may take to end after the last test (ms): long enough that on a busy machine it is a leak that is late. */
const graceMs = Number(process.env.ELDERS_TEST_GRACE_MS ?? 30_000);

/** Runs node's test runner over `files` with every temporary file below `folder`; gives its exit code. */
function runNodeTests(folder: string, options: readonly string[], files: readonly string[]): Promise<number> {
  const child = spawn(
    process.execPath,
    [
      '--test',
      '--test-reporter=spec',
      '--test-concurrency=2',
      `--test-timeout=${fileTimeoutMs}`,
      ...options,
      ...files,
    ],
    { stdio: 'inherit', env: { ...process.env, TMPDIR: folder } },
  );
  // The terminal sends these to the runner as well; stay to look for what it leaves behind.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** Waits up to the grace time for every process that holds `folder` to end; gives those that did not. */
async function leftBehind(folder: string): Promise<ReturnType<typeof processesTouching>> {
  const deadline = Date.now() + graceMs;
  for (;;) {
    const found = processesTouching(folder);
    if (found.length === 0 || Date.now() > deadline) return found;
    await delay(50);
  }
}

const args = process.argv.slice(2);
const options = args.filter((arg) => arg.startsWith('-'));
const patterns = args.filter((arg) => !arg.startsWith('-'));
const files = globSync(patterns.length > 0 ? patterns : ['test/**/*.test.ts']).sort();
if (files.length === 0) {
  // node --test would call this a success.
  process.stderr.write(`No test file matches ${patterns.join(' ')} (write options as --option=value).\n`);
  process.exit(2);
}

// Short, because the path of a Unix socket below it may have 107 bytes at most.
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'et-')));
let code = await runNodeTests(folder, options, files);
const left = await leftBehind(folder);
for (const { pid, command, by } of left) {
  process.stderr.write(`left behind: pid ${pid} (by its ${by}): ${command.slice(0, 300)}\n`);
  code ||= 1;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself meanwhile; it was late all the same.
  }
}
if (left.length > 0) await leftBehind(folder);
rmSync(folder, { recursive: true, force: true });
process.exitCode = code;
