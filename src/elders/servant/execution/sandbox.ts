import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findBubblewrap } from '../../../telemetry/bubblewrap-program.ts';
import { isolationArguments } from './bubblewrap-arguments.ts';

const run = promisify(execFile);

/** How a command is walled off. */
export type SandboxKind = 'bubblewrap' | 'none';

/** What this host offers. */
export type Sandbox =
  | {
      readonly kind: 'bubblewrap';
      readonly path: string;
      readonly version: string;
      /** Whether it can bound what a temporary folder holds; it can from 0.7 on. */
      readonly boundsFolders: boolean;
    }
  | { readonly kind: 'none'; readonly reason: string };

const probeBytes = 1_048_576;

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
  const program = findBubblewrap();
  if ('reason' in program) return { kind: 'none', reason: program.reason };
  const { path } = program;
  try {
    const options = { env: {}, timeout: 10_000, killSignal: 'SIGKILL' } as const;
    const { stdout } = await run(path, ['--version'], options);
    const version = stdout.replace('bubblewrap', '').trim();
    const [major = 0, minor = 0] = version.split('.').map(Number);
    const boundsFolders = major > 0 || minor >= 7;
    const policy = { network: false, temporaryBytes: boundsFolders ? probeBytes : null };
    await run(path, [...isolationArguments(policy), '--', '/bin/sh', '-c', ':'], options);
    return { kind: 'bubblewrap', path, version, boundsFolders };
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return { kind: 'none', reason: `${path} cannot make a sandbox here: ${stderr?.trim() || message}` };
  }
}
