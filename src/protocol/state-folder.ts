import { join } from 'node:path';
import { fileName } from './file-name.ts';

/** Names of everything below `.elders/` in the user's project. All folders are 0700, all sockets 0600. */
export function stateFolder(project: string) {
  const root = join(project, '.elders');
  const run = join(root, 'run');
  const log = join(root, 'log');
  return {
    project,
    root,
    run,
    log,
    redis: join(root, 'redis'),
    index: join(root, 'index'),
    /** CA key and Redis admin password; masked from sandboxes. */
    secret: join(root, 'secret'),
    /** Output of tasks: `<directive>/<task>.<attempt>.log`. */
    output: join(root, 'output'),
    /** Worktrees of tasks: `<directive>/<task>@<attempt>/tree`. */
    worktrees: join(root, 'worktrees'),
    /** What tasks left to be kept: `<directive>/<task>@<attempt>/`. */
    artifacts: join(root, 'artifacts'),
    /** The audit log; masked from sandboxes as all of this folder is. */
    audit: join(root, 'audit'),
    /** Names of the users that elders of root become, as `/etc` has those of the host. */
    users: join(root, 'users'),
    /** JSON `{id, createdAt}`: the identity of this tree. */
    tree: join(root, 'tree.json'),
    /** JSON array: folders outside of the project that the human has the RAG sage index. */
    granted: join(root, 'granted.json'),
    /** Which certificates were issued and which of them are revoked. */
    certificates: join(root, 'certificates.json'),
    /** SQLite file whose lock is held by the manager and ends with it, however it ends. */
    managerLock: join(run, 'manager.lock'),
    managerSocket: join(run, 'manager.sock'),
    /** Why the last manager died of an error that nobody handled; the next one tells of it. */
    managerDeath: join(run, 'manager.death'),
    /** Which servants there are to be, where that is not what the configuration says. */
    servants: join(run, 'servants.json'),
    /** In a folder of its own, the only one here that the grand elder can write to. */
    gatewaySocket: join(root, 'gateway', 'gateway.sock'),
    /** Which process plays `name`; see `processRecord`. */
    processRecord: (name: string) => join(run, `${fileName(name)}.process.json`),
    /** Which sandbox a servant runs now; see `sandboxNote`. In a folder that only this servant can write to. */
    sandboxRecord: (name: string) => join(run, fileName(name), 'sandbox.json'),
    /** What the command of a servant leaves for it. */
    exchange: (name: string) => join(run, fileName(name), 'exchange'),
    /** JSON lines written by the process itself, in a folder that no other elder can write to. */
    logFile: (name: string) => join(log, fileName(name), `${fileName(name)}.log`),
    /** How far a principal of this process had come in Redis, as far as it was told; in a folder of its own. */
    commitNote: (name: string, principal: string) =>
      join(log, fileName(name), `${fileName(principal)}.commit`),
    /** What the process printed besides, such as the stack of a crash. */
    rawOutput: (name: string) => join(log, `${fileName(name)}.out`),
  };
}
export type StateFolder = ReturnType<typeof stateFolder>;
