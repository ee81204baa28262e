import { childSpec } from '../../protocol/child-spec.ts';
import type { Config } from '../../protocol/config.ts';
import { servantPools } from '../../protocol/servant-pools.ts';

/**
 * Who has to do with a setting. `fixed`: it cannot change while the tree runs; `manager`: the manager alone, at
 * once; `caller`: only commands; else the elders that are given it at their start and need new processes.
 */
type Concern = 'fixed' | 'manager' | 'caller' | ((name: string) => boolean);

const everyElder: Concern = () => true;
const servants = (name: string) => name.startsWith('servant_');

/** Every setting stands here, so that a new one is not forgotten. */
const concerns: Readonly<Record<Exclude<keyof Config, 'supervision' | 'certificates'>, Concern>> = {
  portBase: 'fixed',
  host: 'fixed',
  servants: 'manager',
  scaling: 'manager',
  spares: 'manager',
  redis: 'fixed',
  allowInsecureRedis: 'fixed',
  appendfsync: 'fixed',
  isolation: everyElder,
  elderUsers: everyElder,
  sandbox: servants,
  sandboxNetwork: servants,
  sandboxWritable: servants,
  sandboxLimits: servants,
  servantKinds: (name) => name === 'task_sage' || name.startsWith('servant_'),
  assignKinds: (name) => name === 'task_sage' || name.startsWith('servant_'),
  language: 'caller',
  messages: everyElder,
  strategy: (name) => name === 'grand_elder' || servants(name),
  tasks: (name) => name === 'task_sage' || name.startsWith('servant_'),
  rag: (name) => name === 'rag_sage',
  search: (name) => name === 'rag_sage' || name === 'knowledge_sage',
  log: everyElder,
};
const certificateConcerns: Readonly<Record<keyof Config['certificates'], Concern>> = {
  lifetime: 'manager',
  connectionAge: everyElder,
};
const supervisionConcerns: Readonly<
  Record<Exclude<keyof Config['supervision'], 'shutdown' | 'elders'>, Concern>
> = {
  intensity: 'manager',
  period: 'manager',
  backoffFirst: 'manager',
  backoffMax: 'manager',
  stableAfter: 'manager',
  startTimeout: 'manager',
  probeInterval: 'manager',
  livenessDeadline: 'manager',
  memoryLimit: 'manager',
  redisDeadline: 'manager',
  branches: 'manager',
  orphanTimeout: everyElder,
};

/** What a changed configuration asks for. */
export interface ReloadPlan {
  /** Settings that changed, from the top, such as `tasks.lease`. */
  readonly changed: readonly string[];
  /** Those of them that cannot change while the tree runs. */
  readonly fixed: readonly string[];
  /** Of those present the elders that need a new process. */
  readonly restart: readonly string[];
}

/** Compares two configurations and says what must be done to go from one to the other; `present` are the elders there are. */
export function reloadPlan(before: Config, after: Config, present: readonly string[]): ReloadPlan {
  const changed: { path: string; concern: Concern }[] = [];
  const compare = <T extends object>(
    old: T,
    now: T,
    table: Readonly<Partial<Record<keyof T, Concern>>>,
    prefix: string,
  ) => {
    for (const [key, concern] of Object.entries(table) as [keyof T & string, Concern][]) {
      if (!same(old[key], now[key])) changed.push({ path: `${prefix}${key}`, concern });
    }
  };
  compare(before, after, concerns, '');
  compare(before.certificates, after.certificates, certificateConcerns, 'certificates.');
  compare(before.supervision, after.supervision, supervisionConcerns, 'supervision.');
  compare(before.supervision, after.supervision, { shutdown: 'manager', elders: 'manager' }, 'supervision.');
  const restart = present.filter(
    (name) =>
      changed.some(({ concern }) => typeof concern === 'function' && concern(name)) ||
      childSpec(before, name).shutdown !== childSpec(after, name).shutdown,
  );
  const fixed = changed.filter(({ concern }) => concern === 'fixed').map(({ path }) => path);
  return {
    changed: changed.map(({ path }) => path),
    // Who there can be is in the rights and edges of all those who speak to servants.
    fixed: [...fixed, ...changedSeats(before, after)],
    restart,
  };
}

/** Tells which servants can be other ones than before, as `the most servants that there can be (gpu: 2 → 4)`. */
function changedSeats(before: Config, after: Config): string[] {
  const [old, now] = [servantPools(before), servantPools(after)];
  const names = [...new Set([...old, ...now].map(({ name }) => name))];
  const changes = names.flatMap((name) => {
    const [was, is] = [old, now].map((pools) => pools.find((pool) => pool.name === name));
    if (was?.max !== is?.max) return [`${name}: ${was?.max ?? 'none'} → ${is?.max ?? 'none'}`];
    return was?.first === is?.first ? [] : [`${name}: from servant_${was?.first} to servant_${is?.first}`];
  });
  return changes.length === 0 ? [] : [`the most servants that there can be (${changes.join(', ')})`];
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
