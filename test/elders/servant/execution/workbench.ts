import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  watch,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { outputPath } from '../../../../src/elders/servant/execution/output-file.ts';
import {
  type CommandOptions,
  type CommandResult,
  startCommand,
} from '../../../../src/elders/servant/execution/run-command.ts';
import { defaultConfig } from '../../../../src/protocol/config.ts';

export const repository = join(import.meta.dirname, '../../../..');

/** A project with a state folder, a workspace below it and a home beside it; not in /tmp, which a sandbox hides anyway. */
export function workbench(t: TestContext) {
  const cache = join(repository, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const base = realpathSync(mkdtempSync(join(cache, 'elders-execution-')));
  t.after(() => rmSync(base, { recursive: true, force: true }));
  const workspace = join(base, 'project');
  const elders = join(workspace, '.elders');
  const home = join(base, 'home');
  const exchange = join(elders, 'exchange');
  for (const folder of [elders, home, exchange]) mkdirSync(folder, { recursive: true });
  const recordPath = join(elders, 'servant_1.sandbox.json');
  let attempt = 0;

  const options = (shellCommand: string, changes: Partial<CommandOptions> = {}): CommandOptions => {
    attempt += 1;
    const names = { directiveId: 'directive', taskId: 'task', attempt };
    return {
      ...names,
      shellCommand,
      workspace,
      environment: {},
      timeoutMs: 60_000,
      killGraceMs: 200,
      limits: defaultConfig.sandboxLimits,
      sandbox: { kind: 'bubblewrap', masked: [elders], writable: [], network: false, home },
      outputPath: outputPath({ folder: join(elders, 'output'), ...names }),
      exchange,
      recordPath,
      ...changes,
    };
  };
  const start = (shellCommand: string, changes?: Partial<CommandOptions>) =>
    startCommand(options(shellCommand, changes));
  const run = async (shellCommand: string, changes?: Partial<CommandOptions>): Promise<CommandResult> =>
    (await start(shellCommand, changes)).finished;
  return { base, workspace, elders, home, recordPath, options, start, run };
}

/** What a command printed. */
export function printed(result: CommandResult): string {
  return result.output?.tail ?? `(nothing: ${result.reason})`;
}

/** A text that occurs on no other command line. */
export function newMarker(): string {
  return `marker-${randomUUID()}`;
}

/** Lists the processes whose command line holds the marker. */
export function processesWith(marker: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return pid !== process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(marker);
      } catch {
        return false;
      }
    });
}

/** Resolves when a file exists. */
export async function appeared(path: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const watcher = watch(dirname(path), () => existsSync(path) && resolve());
  if (existsSync(path)) resolve();
  await promise;
  watcher.close();
}
