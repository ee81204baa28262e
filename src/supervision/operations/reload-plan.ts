import { childSpec } from '../../protocol/child-spec.ts';
import type { Config } from '../../protocol/config.ts';
import { edgeActions } from '../../protocol/edges.ts';
import { servantName } from '../../protocol/roster.ts';
import { type ServantPool, servantPools } from '../../protocol/servant-pools.ts';

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
  /** Elders that need a new process before there is a servant that there could not be until now. */
  readonly first: readonly string[];
  /** Of those present the other elders that need a new process. */
  readonly restart: readonly string[];
}

/**
 * Compares two configurations and says what must be done to go from one to the other; `present` are the elders there are,
 * `pools` the servants that there can be, which is less than `before` says where an earlier change did not get to its end.
 */
export function reloadPlan(
  before: Config,
  after: Config,
  { present, pools = servantPools(before) }: { present: readonly string[]; pools?: readonly ServantPool[] },
): ReloadPlan {
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
  const seats = changedSeats(pools, servantPools(after));
  // Who there can be is in the rights and edges of all those who speak to servants, from their start on.
  const first = seats.more ? present.filter(speaksToServants) : [];
  const restart = present.filter(
    (name) =>
      !first.includes(name) &&
      (changed.some(({ concern }) => typeof concern === 'function' && concern(name)) ||
        childSpec(before, name).shutdown !== childSpec(after, name).shutdown),
  );
  const fixed = changed.filter(({ concern }) => concern === 'fixed').map(({ path }) => path);
  return {
    changed: changed.map(({ path }) => path),
    fixed: [...fixed, ...seats.fixed],
    first,
    restart,
  };
}

/**
 * Tells whether there can be more servants than before and, as `the most servants that there can be (gpu: 4 → 2)`, what would
 * take away one that may be at work or give its number to another pool.
 */
function changedSeats(
  before: readonly ServantPool[],
  after: readonly ServantPool[],
): { more: boolean; fixed: string[] } {
  const names = [...new Set([...before, ...after].map(({ name }) => name))];
  let more = false;
  const changes = names.flatMap((name) => {
    const [was, is] = [before, after].map((pools) => pools.find((pool) => pool.name === name));
    if (was && (is?.max ?? 0) < was.max) return [`${name}: ${was.max} → ${is?.max ?? 'none'}`];
    if (was && is && was.first !== is.first)
      return [`${name}: from ${servantName(was.first)} to ${servantName(is.first)}`];
    more ||= (is?.max ?? 0) > (was?.max ?? 0);
    return [];
  });
  return {
    more,
    fixed: changes.length === 0 ? [] : [`the most servants that there can be (${changes.join(', ')})`],
  };
}

function speaksToServants(name: string): boolean {
  const servant = servantName(1);
  return !servants(name) && edgeActions(name, servant).length + edgeActions(servant, name).length > 0;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
