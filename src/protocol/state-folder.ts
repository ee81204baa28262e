import { join } from 'node:path';

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
    /** JSON `{id, createdAt}`: the identity of this tree. */
    tree: join(root, 'tree.json'),
    /** SQLite file whose lock is held by the manager and ends with it, however it ends. */
    managerLock: join(run, 'manager.lock'),
    managerSocket: join(run, 'manager.sock'),
    gatewaySocket: join(run, 'gateway.sock'),
    /** Which process plays `name`; see `processRecord`. */
    processRecord: (name: string) => join(run, `${name}.process.json`),
    /** Which sandbox a servant runs now; see `processRecord`. */
    sandboxRecord: (name: string) => join(run, `${name}.sandbox.json`),
    /** JSON lines written by the process itself. */
    logFile: (name: string) => join(log, `${name}.log`),
    /** What the process printed besides, such as the stack of a crash. */
    rawOutput: (name: string) => join(log, `${name}.out`),
  };
}
export type StateFolder = ReturnType<typeof stateFolder>;
