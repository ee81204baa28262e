import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { inheritedDescriptors } from '../inherited-descriptors.ts';
import { launcherFd, launcherScript } from './launcher-script.ts';

/** What a launcher is made with. */
export interface LauncherOptions {
  readonly bash: string;
  /** A folder that is the launcher's alone. */
  readonly folder: string;
  /** What it and every command has, besides what an order says. */
  readonly environment: Readonly<Record<string, string>>;
  readonly niceness: number;
  /** How long it may take over what it was asked, in ms: somebody may have stopped it. */
  readonly answerMs: number;
}

/** Starts the process of a launcher, in an empty folder and with nothing open but its connection. Throws the system's error. */
export function spawnLauncher({ bash, folder, environment }: LauncherOptions, mark: string): ChildProcess {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const closing = inheritedDescriptors(launcherFd + 1).map((fd) => `exec ${fd}>&-\n`);
  return spawn(bash, ['-c', `${closing.join('')}${launcherScript}`, mark, folder], {
    env: environment,
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
}
