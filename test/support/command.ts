import { execFile } from 'node:child_process';

interface CommandOptions {
  readonly cwd: string;
  /** The whole environment of the command; without it `cleanEnvironment()`. */
  readonly env?: NodeJS.ProcessEnv;
}

/** What a command came to; `code` is null when a signal ended it. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** This environment without what npm and node's test runner add for their own children. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const ours = /^(npm_|NODE_TEST_CONTEXT$|NODE_OPTIONS$|INIT_CWD$|ELDERS_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}

/** Runs a program to its end; a non-zero exit is a result, a program that cannot be started is thrown. */
export function runCommand(
  program: string,
  args: readonly string[],
  { cwd, env = cleanEnvironment() }: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      { cwd, env, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error && typeof error.code === 'string') reject(error);
        else resolve({ code: child.exitCode, stdout, stderr });
      },
    );
  });
}
