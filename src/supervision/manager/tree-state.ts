import type { Config } from '../../protocol/config.ts';
import type { ElderStatus, SpareStatus, TreeStatus } from '../../protocol/process.ts';
import { type ElderSpec, redisPortOffset } from '../../protocol/roster.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import type { TreeState } from '../../protocol/states.ts';
import { readIsolation } from '../isolation/read-isolation.ts';

/** Computes the state of a tree from its parts; `wasReady`: whether all of it has been ready before. */
export function treeState(options: {
  phase: 'running' | 'stopping' | 'stopped';
  wasReady: boolean;
  redis: TreeStatus['redis']['state'];
  elders: readonly Pick<ElderStatus, 'state'>[];
}): TreeState {
  if (options.phase !== 'running') return options.phase;
  const states = options.elders.map((elder) => elder.state);
  // One that is being drained serves as long as it is there.
  const well = states.every((state) => state === 'ready' || state === 'draining');
  if (options.redis === 'ready' && well) return 'ready';
  return options.wasReady || states.includes('failed') ? 'degraded' : 'starting';
}

/** The status of an elder that this manager has not started yet. */
export function elderBeforeStart(spec: ElderSpec, portBase: number): ElderStatus {
  return {
    name: spec.name,
    role: spec.role,
    parent: spec.parent,
    pid: null,
    port: portBase + spec.portOffset,
    state: 'stopped',
    incarnation: 0,
    restarts: 0,
    startedAt: null,
    reason: null,
    isolation: 'none',
  };
}

/** The status of Redis before this manager has looked for it. */
export function redisBeforeStart(config: Config): TreeStatus['redis'] {
  return {
    managed: config.redis === undefined,
    host: config.host,
    port: config.portBase + redisPortOffset,
    pid: null,
    state: 'starting',
    restarts: 0,
    appendfsync: config.appendfsync,
    insecure: [],
    reason: null,
  };
}

/** Puts the status of a tree together from what is known of its parts; `elders` are those started so far, by name. */
export function treeStatusOf(options: {
  tree: string;
  phase: 'running' | 'stopping' | 'stopped';
  wasReady: boolean;
  manager: TreeStatus['manager'];
  config: Config;
  /** The elders that there are now, in start order. */
  specs: readonly ElderSpec[];
  /** Servants that finish what they have and go. */
  retiring: ReadonlySet<string>;
  pools: TreeStatus['pools'];
  redis: TreeStatus['redis'];
  elders: ReadonlyMap<string, ElderStatus>;
  spares: readonly Omit<SpareStatus, 'isolation'>[];
  folder: StateFolder;
}): TreeStatus {
  const { tree, phase, wasReady, manager, config, redis } = options;
  const elders = options.specs.map((spec) => {
    const known = options.elders.get(spec.name) ?? elderBeforeStart(spec, config.portBase);
    const draining = options.retiring.has(spec.name) && known.state === 'ready';
    const elder = draining ? { ...known, state: 'draining' as const } : known;
    return { ...elder, isolation: readIsolation(elder.pid, options.folder) };
  });
  return {
    schemaVersion: 1,
    tree,
    state: treeState({ phase, wasReady, redis: redis.state, elders }),
    manager,
    redis,
    sandbox: config.sandbox,
    elders,
    ...(options.pools && { pools: options.pools }),
    spares: options.spares.map((spare) => ({
      ...spare,
      isolation: readIsolation(spare.pid, options.folder),
    })),
  };
}
