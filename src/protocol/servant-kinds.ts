import type { ServantKindConfig } from './config/servant-kinds.ts';
import type { CommandLimits } from './config.ts';
import { type PoolsConfig, poolOf, servantNumber, servantPools } from './servant-pools.ts';

interface ServantsConfig extends PoolsConfig {
  readonly servantKinds: Readonly<Record<string, ServantKindConfig>>;
  readonly assignKinds: readonly string[];
}

/** The kind of a servant; `null` for one that stands in for every kind. */
export function kindOf(config: ServantsConfig, servant: string): string | null {
  const number = servantNumber(servant);
  if (number === undefined) return null;
  return poolOf(servantPools(config), servant)?.kind ?? config.assignKinds[number - 1] ?? null;
}

/** The labels that a servant carries: its kind and the kind's labels; without a kind those of every kind that has no group. */
export function labelsOf(config: ServantsConfig, servant: string): ReadonlySet<string> {
  const kind = kindOf(config, servant);
  const { groups } = config.scaling;
  const kinds =
    kind === null ? Object.keys(config.servantKinds).filter((name) => groups[name] === undefined) : [kind];
  return new Set(kinds.flatMap((name) => [name, ...(config.servantKinds[name]?.labels ?? [])]));
}

/**
 * Whether a servant leaves tasks without labels to others: one of a group is there for those that ask for it, and most
 * commands fail where the workspace cannot be written.
 */
export function isReserved(config: ServantsConfig, servant: string): boolean {
  if ((poolOf(servantPools(config), servant)?.kind ?? null) !== null) return true;
  const kind = kindOf(config, servant);
  return kind !== null && config.servantKinds[kind]?.workspace === 'read-only';
}

/** Of the others the smaller is. */
const largerIsStricter: ReadonlySet<keyof CommandLimits> = new Set(['diskReserve', 'niceness']);

/** What a command may on its servant. */
export interface CommandRights {
  readonly writesWorkspace: boolean;
  readonly network: boolean;
  /** Hosts that it may ask for. */
  readonly hosts: readonly string[];
  readonly limits: CommandLimits;
}

/**
 * What a task with these labels may on this servant: the least of what the servant's kind, and every kind that the
 * labels name, allows. So a task for a `researcher` is one on a servant that stands in for every kind too.
 */
export function rightsOf(
  config: ServantsConfig & {
    readonly sandboxLimits: CommandLimits;
    readonly sandboxNetwork: boolean;
    readonly strategy: { readonly hosts: readonly string[] };
  },
  servant: string,
  labels: readonly string[],
): CommandRights {
  const names = new Set([kindOf(config, servant), ...labels].filter((name) => name !== null));
  const kinds = [...names].map((name) => config.servantKinds[name]).filter((kind) => kind !== undefined);
  const limits = { ...config.sandboxLimits };
  let hosts: readonly string[] | undefined;
  for (const kind of kinds) {
    for (const [name, value] of Object.entries(kind.limits) as [keyof CommandLimits, number | undefined][]) {
      if (value === undefined) continue;
      limits[name] = largerIsStricter.has(name)
        ? Math.max(limits[name], value)
        : Math.min(limits[name], value);
    }
    const own = kind.hosts;
    if (own !== undefined) hosts = hosts === undefined ? own : hosts.filter((host) => own.includes(host));
  }
  return {
    writesWorkspace: kinds.every(({ workspace }) => workspace === 'writable'),
    network: config.sandboxNetwork && kinds.every(({ network }) => network !== false),
    hosts: hosts ?? config.strategy.hosts,
    limits,
  };
}
