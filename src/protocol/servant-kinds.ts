import { isServant } from './roster.ts';

/** What a servant of this kind is for, and what it may; users add their own in `elders.yaml`. */
export interface ServantKind {
  /** Labels besides the name of the kind. */
  readonly labels: readonly string[];
}

interface ServantsConfig {
  readonly servantKinds: Readonly<Record<string, ServantKind>>;
  readonly assignKinds: readonly string[];
}

/** The kind of a servant; `null` for one that stands in for every kind. */
export function kindOf(config: ServantsConfig, servant: string): string | null {
  if (!isServant(servant)) return null;
  return config.assignKinds[Number(servant.slice('servant_'.length)) - 1] ?? null;
}

/** The labels that a servant carries: its kind and the kind's labels; without a kind those of every kind. */
export function labelsOf(config: ServantsConfig, servant: string): ReadonlySet<string> {
  const kind = kindOf(config, servant);
  const kinds = kind === null ? Object.keys(config.servantKinds) : [kind];
  return new Set(kinds.flatMap((name) => [name, ...(config.servantKinds[name]?.labels ?? [])]));
}
