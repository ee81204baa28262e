import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { isolationArguments } from './bubblewrap-arguments.ts';

const run = promisify(execFile);

/** How a command is walled off. */
export type SandboxKind = 'bubblewrap' | 'none';

/** What this host offers. */
export type Sandbox =
  | { readonly kind: 'bubblewrap'; readonly path: string; readonly version: string }
  | { readonly kind: 'none'; readonly reason: string };

/**
 * Folders of the system only, never PATH: `npm run` puts a folder of the project first there, into which a
 * sandboxed command could lay a program of this name for the next servant to run.
 */
const folders = ['/usr/bin', '/bin', '/usr/local/bin', '/run/current-system/sw/bin'];

let found: Promise<Sandbox> | undefined;

/**
 * Finds out whether commands can be sandboxed here, by starting a sandbox of the kind that commands get. A
 * success is remembered for the life of the process; a failure is tried again, since bubblewrap may be
 * installed meanwhile.
 */
export async function detectSandbox(): Promise<Sandbox> {
  found ??= probe();
  const sandbox = await found;
  if (sandbox.kind === 'none') found = undefined;
  return sandbox;
}

async function probe(): Promise<Sandbox> {
  if (process.platform !== 'linux') {
    return { kind: 'none', reason: `bubblewrap needs Linux; this is ${process.platform}` };
  }
  const path = folders.map((folder) => `${folder}/bwrap`).find((file) => existsSync(file));
  if (path === undefined) {
    return { kind: 'none', reason: `bubblewrap is not installed: no bwrap in ${folders.join(', ')}` };
  }
  try {
    const options = { env: {}, timeout: 10_000, killSignal: 'SIGKILL' } as const;
    const { stdout } = await run(path, ['--version'], options);
    await run(path, [...isolationArguments({ network: false }), '--', '/bin/sh', '-c', ':'], options);
    return { kind: 'bubblewrap', path, version: stdout.replace('bubblewrap', '').trim() };
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return { kind: 'none', reason: `${path} cannot make a sandbox here: ${stderr?.trim() || message}` };
  }
}
