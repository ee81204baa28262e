import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, configFileName } from '../../protocol/config.ts';
import { ElderError } from '../../protocol/errors.ts';
import { hostsBeyond } from '../../protocol/network-host.ts';
import { rightsOf } from '../../protocol/servant-kinds.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import { outputPath } from './execution/output-file.ts';
import type { CommandOptions } from './execution/run-command.ts';
import type { Worktree } from './git/worktree.ts';
import type { Assignment } from './servant.ts';

/** Where the attempt runs, and who is told which hosts it asks for in vain. */
interface Surroundings {
  readonly worktree: Worktree | undefined;
  /** Folder of this attempt alone. */
  readonly exchange: string;
  readonly onRefusedHost: (host: string, reason: string) => void;
}

/** Bounds the command of an assignment by what its servant's kind may. Throws `denied` where it asks for more. */
export function assignedCommand(
  { name, folder, config }: { name: string; folder: StateFolder; config: Config },
  { task, workspace, directiveId, attempt }: Assignment,
  { worktree, exchange, onRefusedHost }: Surroundings,
): CommandOptions {
  const rights = rightsOf(config, name, task.labels ?? []);
  const hosts = task.hosts ?? [];
  // The grand elder has measured it already; nothing that comes in a message is believed.
  for (const [bounds, allowed] of [
    ['strategy.hosts', config.strategy.hosts],
    ['the kind of servant', rights.hosts],
  ] as const) {
    const beyond = hostsBeyond(hosts, allowed).join(', ');
    if (beyond === '') continue;
    const reason = `${bounds} does not allow ${beyond}`;
    onRefusedHost(beyond, reason);
    throw new ElderError('denied', reason);
  }
  return {
    shellCommand: task.run,
    workspace: worktree?.tree ?? workspace,
    ...(worktree && { startIn: worktree.startIn }),
    directiveId,
    taskId: task.id,
    attempt,
    environment: task.env,
    timeoutMs: task.timeoutMs,
    killGraceMs: config.tasks.killGrace,
    limits: rights.limits,
    sandbox:
      config.sandbox === 'none'
        ? { kind: 'none' }
        : {
            kind: 'bubblewrap',
            masked: [folder.root],
            readOnly: [...configFile(folder), ...(worktree?.readOnly ?? [])],
            writable: config.sandboxWritable,
            workspaceReadOnly: !rights.writesWorkspace,
            workspaceUnmasked: worktree !== undefined,
            network: rights.network,
            hosts,
            onRefusedHost: (host) => onRefusedHost(host, 'not among the hosts of the task'),
          },
    outputPath: outputPath({ folder: folder.output, directiveId, taskId: task.id, attempt }),
    exchange,
    recordPath: folder.sandboxRecord(name),
  };
}

/** A command must not loosen its own sandbox for the next start of the tree. */
function configFile(folder: StateFolder): string[] {
  const path = join(folder.project, configFileName);
  return existsSync(path) ? [path] : [];
}
