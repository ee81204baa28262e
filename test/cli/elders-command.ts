import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The file that `elders` starts from. */
export const program = fileURLToPath(new URL('../../bin/elders.cjs', import.meta.url));

/** What one call came to. */
export interface Called {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface CallOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Starts the real `elders` in a clean environment. */
export function startElders(args: readonly string[], { cwd, env = {} }: CallOptions): ChildProcess {
  const { PATH = '', HOME = '' } = process.env;
  return spawn(process.execPath, [program, ...args], { cwd, env: { PATH, HOME, LANG: 'C.UTF-8', ...env } });
}

/** Runs the real `elders` to its end. */
export async function callElders(args: readonly string[], options: CallOptions): Promise<Called> {
  const child = startElders(args, options);
  child.stdin?.end(options.input ?? '');
  const [stdout, stderr] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, 'close'),
  ]);
  return { code: child.exitCode, stdout, stderr };
}

/** Makes a folder that is removed after the test. */
export function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'elders-cli-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
