import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { ElderError } from '../../../protocol/errors.ts';
import { newProcessMark } from '../../../telemetry/marked-processes.ts';
import type { HostAccess } from '../network/host-access.ts';
import { taskFileNames } from '../results/task-files.ts';
import { bubblewrapArguments, realFolder, sandboxHome } from './bubblewrap-arguments.ts';
import { commandEnvironment } from './environment.ts';
import type { Launch } from './guarded-process.ts';
import { ownUser } from './own-user.ts';
import type { CommandOptions } from './run-command.ts';
import { detectSandbox } from './sandbox.ts';

/** The longest command line that the kernel takes as one argument, in bytes. */
const maxCommandLine = 130_000;

/** Where a command in a sandbox finds its exchange folder. */
const exchangeInSandbox = '/run/elders-task';

function exchangeVariables({ sandbox, exchange }: CommandOptions): Record<string, string> {
  const folder = sandbox.kind === 'none' ? exchange : exchangeInSandbox;
  return {
    ELDERS_OUTPUT: join(folder, taskFileNames.output),
    ELDERS_TASKS: join(folder, taskFileNames.tasks),
    ELDERS_PROGRESS: join(folder, taskFileNames.progress),
  };
}

/** What is to be started; with it nothing that could stand in the way is left to be looked at. */
export type CommandPlan = Omit<Launch, 'output' | 'report'>;

/** Makes out how a command is to be started. Throws `malformed`, `denied` or `sandbox_unavailable`. */
export async function planCommand(
  options: CommandOptions,
  proxy: HostAccess | undefined,
): Promise<CommandPlan> {
  const { sandbox, taskId, directiveId, attempt } = options;
  if (options.shellCommand.includes('\0') || Buffer.byteLength(options.shellCommand) > maxCommandLine) {
    throw new ElderError('malformed', `the command holds NUL or is longer than ${maxCommandLine} bytes`);
  }
  const workspace = realFolder(options.workspace, 'workspace');
  const ownHome = (sandbox.kind === 'bubblewrap' ? sandbox.home : undefined) ?? ownUser().homedir;
  const home = sandbox.kind === 'none' ? ownHome : sandboxHome({ home: ownHome, workspace });
  const task = { ...proxy?.environment, ...options.environment, ...exchangeVariables(options) };
  const environment = commandEnvironment({ parent: process.env, home, task, taskId, directiveId, attempt });
  const { limits, shellCommand: commandLine } = options;
  const startIn =
    options.startIn === undefined ? workspace : realFolder(options.startIn, 'folder to begin in');
  const common = { mark: newProcessMark(), commandLine, limits, workspace: startIn, environment };
  if (sandbox.kind === 'none') return { ...common, sandbox: { kind: 'none' } };
  const available = await detectSandbox();
  if (available.kind === 'none') throw new ElderError('sandbox_unavailable', available.reason);
  if (!sandbox.workspaceReadOnly) requireWritable(workspace);
  const temporaryBytes = available.boundsFolders ? limits.temporary : null;
  const shown = [...(proxy?.arguments ?? []), '--bind', options.exchange, exchangeInSandbox];
  const policy = { readOnly: [], ...sandbox, home: ownHome, workspace, startIn, temporaryBytes, shown };
  return {
    ...common,
    ...(proxy && { before: proxy.before }),
    sandbox: {
      kind: 'bubblewrap',
      path: available.path,
      arguments: bubblewrapArguments(policy, environment),
    },
  };
}

/** Throws `denied` for a workspace that the boundary of the servant itself shows read-only. */
function requireWritable(workspace: string): void {
  try {
    accessSync(workspace, constants.W_OK);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EROFS') return;
    const hint =
      'a folder made in your home after the servant was started is writable once `elders restart` has replaced it';
    throw new ElderError('denied', `${workspace} is read-only for this servant; ${hint}`, { cause });
  }
}
