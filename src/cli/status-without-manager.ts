import { defaultConfig } from '../protocol/config.ts';
import type { ElderStatus, TreeStatus } from '../protocol/process.ts';
import { fixedElders, isServant, redisPortOffset, servantSpec } from '../protocol/roster.ts';
import type { StateFolder } from '../protocol/state-folder.ts';
import { findLivingProcesses, type LivingProcess, readTreeId } from './living-processes.ts';

/** Says what is known of a tree whose manager does not run: elders alive by their records make it `degraded`. */
export function statusWithoutManager(folder: StateFolder, aliveReason: string): TreeStatus {
  const living = findLivingProcesses(folder).filter(({ kind }) => kind === 'process');
  const byName = new Map(living.map((found) => [found.record.name, found]));
  const redis = byName.get('redis');
  const servants = [...byName.keys()].filter(isServant);
  const specs = [
    ...fixedElders,
    ...servants.map((name) => servantSpec(Number(name.slice('servant_'.length)))),
  ];
  const elders = specs.map((spec): ElderStatus => {
    const record = byName.get(spec.name)?.record;
    return {
      name: spec.name,
      role: spec.role,
      parent: spec.parent,
      pid: record?.pid ?? null,
      port: record?.port ?? 0,
      state: record ? 'unready' : 'stopped',
      incarnation: record?.incarnation ?? 0,
      restarts: record?.restarts ?? 0,
      startedAt: record?.startedAt ?? null,
      reason: record ? aliveReason : null,
      isolation: 'none',
    };
  });
  return {
    schemaVersion: 1,
    tree: readTreeId(folder),
    state: elders.some(({ pid }) => pid !== null) || redis ? 'degraded' : 'stopped',
    manager: null,
    redis: redisStatus(redis),
    sandbox: 'unknown',
    elders: living.length === 0 ? [] : elders,
  };
}

function redisStatus(redis: LivingProcess | undefined): TreeStatus['redis'] {
  return {
    managed: true,
    host: redis?.record.host ?? defaultConfig.host,
    port: redis?.record.port ?? defaultConfig.portBase + redisPortOffset,
    pid: redis?.record.pid ?? null,
    // Alive is all that is known: whether it answers, only its clients can say.
    state: redis ? 'starting' : 'stopped',
    restarts: redis?.record.restarts ?? 0,
    appendfsync: 'unknown',
  };
}
