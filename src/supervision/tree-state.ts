import type { ElderStatus, TreeStatus } from '../protocol/process.ts';
import type { ElderSpec } from '../protocol/roster.ts';
import type { TreeState } from '../protocol/states.ts';

/** Computes the state of a tree from its parts; `wasReady`: whether all of it has been ready before. */
export function treeState(options: {
  phase: 'running' | 'stopping' | 'stopped';
  wasReady: boolean;
  redis: TreeStatus['redis']['state'];
  elders: readonly Pick<ElderStatus, 'state'>[];
}): TreeState {
  if (options.phase !== 'running') return options.phase;
  const states = options.elders.map((elder) => elder.state);
  if (options.redis === 'ready' && states.every((state) => state === 'ready')) return 'ready';
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
