import type { Config } from '../../protocol/config.ts';
import { ElderError } from '../../protocol/errors.ts';
import type { ManagerEvent } from '../../protocol/local-api.ts';
import type { ProcessIdentity, TreeStatus } from '../../protocol/process.ts';
import { dieLoudly } from '../../telemetry/die-loudly.ts';
import { createLogger, type Logger } from '../../telemetry/logger.ts';
import { readProcessIdentity } from '../../telemetry/process-identity.ts';
import type { ElderProgram } from '../isolation/elder-program.ts';
import type { isDrained } from '../scaling/servant-scaler.ts';
import { noteDeath } from './manager-death.ts';
import { ManagerLock } from './manager-lock.ts';
import { prepareTreeFolder } from './tree-folder.ts';
import { TreeManager } from './tree-manager.ts';

/** How a tree is to be run. */
export interface ManagerOptions {
  /** Folder whose `.elders` belongs to the tree; absolute. */
  readonly project: string;
  readonly config: Config;
  /** Version of this program, for `status`. */
  readonly version: string;
  readonly launch: ElderProgram;
  /** Reads the configuration anew, for `reload`. Throws `config_invalid`. */
  readonly loadConfig?: () => Promise<Config>;
  readonly onEvent?: (event: ManagerEvent) => void;
  /** Called whenever the status of an elder or of Redis has changed. */
  readonly onStatus?: () => void;
  /** Whether this process is there for the manager alone: an error that nobody handles then ends it, told in its log. */
  readonly ownsProcess?: boolean;
  /** Drains the tree when it aborts, while it is being started too. */
  readonly signal?: AbortSignal;
  /** Whether a servant that is to go may be ended; another than the usual is for tests of what that guards. */
  readonly mayEndServant?: typeof isDrained;
  /** Kills the tree when it aborts. */
  readonly killSignal?: AbortSignal;
}

/** A tree that runs. */
export interface Manager {
  readonly status: TreeStatus;
  /** Resolves when the tree has been stopped and nothing of it remains; rejects when that failed. */
  readonly done: Promise<void>;
  /** Stops the tree: `drain` in reverse order, each within its shutdown time; `kill` at once. Resolves as `done`. */
  shutdown(mode: 'drain' | 'kill'): Promise<void>;
}

/**
 * Starts the tree of a project, or takes over what an earlier manager left running, and resolves once all of
 * it is ready. When that fails, what was started is stopped in reverse order and it rejects with the cause:
 * `already_running`, `port_taken`, `start_failed`, `redis_unreachable`, `interrupted` and others.
 */
export async function runManager(options: ManagerOptions): Promise<Manager> {
  if (options.signal?.aborted || options.killSignal?.aborted) {
    throw new ElderError('interrupted', 'interrupted before the start');
  }
  const folder = await prepareTreeFolder(options.project);
  const lock = ManagerLock.take(folder.managerLock, readProcessIdentity(process.pid) as ProcessIdentity);
  let log: Logger;
  try {
    log = createLogger({ name: 'manager', ...options.config.log, file: folder.logFile('manager') });
  } catch (error) {
    lock.release();
    throw error;
  }
  if (options.ownsProcess) dieLoudly(log, (what, error) => noteDeath(folder.managerDeath, what, error));
  const manager = new TreeManager(options, { folder, lock, log });
  await manager.start();
  return manager;
}
