import { defaultConfig } from '../../protocol/config.ts';
import type { ElderStatus, ProcessRecord, TreeStatus } from '../../protocol/process.ts';
import { fixedElders, isServant, redisPortOffset, servantSpec } from '../../protocol/roster.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import { readIsolation } from '../../supervision/isolation/read-isolation.ts';
import { findLivingProcesses, readTreeId } from '../connection/living-processes.ts';

/** Says what is known of a tree whose manager does not run: what is alive by its record makes it `degraded`. */
export function statusWithoutManager(folder: StateFolder, aliveReason: string): TreeStatus {
  const records = new Map<string, ProcessRecord>();
  for (const found of findLivingProcesses(folder)) {
    if (found.kind === 'process') records.set(found.name, found.identity);
  }
  const servants = [...records.keys()].filter(isServant);
  const specs = [
    ...fixedElders,
    ...servants.map((name) => servantSpec(Number(name.slice('servant_'.length)))),
  ];
  const elders = specs.map((spec): ElderStatus => {
    const record = records.get(spec.name);
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
      isolation: readIsolation(record?.pid ?? null, folder),
    };
  });
  return {
    schemaVersion: 1,
    tree: readTreeId(folder),
    state: records.size > 0 ? 'degraded' : 'stopped',
    manager: null,
    redis: redisStatus(records.get('redis')),
    sandbox: 'unknown',
    elders: records.size > 0 ? elders : [],
    // Without a manager they end by themselves.
    spares: [],
  };
}

function redisStatus(record: ProcessRecord | undefined): TreeStatus['redis'] {
  return {
    managed: true,
    host: record?.host ?? defaultConfig.host,
    port: record?.port ?? defaultConfig.portBase + redisPortOffset,
    pid: record?.pid ?? null,
    // Alive is all that is known: whether it answers, only its clients can say.
    state: record ? 'unreachable' : 'stopped',
    restarts: record?.restarts ?? 0,
    appendfsync: 'unknown',
    insecure: [],
    reason: null,
  };
}
