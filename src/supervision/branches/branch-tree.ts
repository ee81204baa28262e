import { childSpec } from '../../protocol/child-spec.ts';
import type { Config } from '../../protocol/config.ts';
import { type ElderSpec, isServant } from '../../protocol/roster.ts';

/** A set of elders that are kept alive together, named after the elder above them; the servants are one of their own. */
export type Branch = keyof Config['supervision']['branches'];

const above: Readonly<Record<Branch, Branch | null>> = {
  root: null,
  grand_elder: 'root',
  claude_elder: 'grand_elder',
  servants: 'grand_elder',
};

/** What the order of a tree is computed from: its configuration, and which elders there are now. */
export interface Family {
  readonly config: Pick<Config, 'supervision'>;
  readonly specs: readonly ElderSpec[];
}

/** All branches. */
export const branchNames = Object.keys(above) as Branch[];

/** Gives the branch that an elder belongs to. */
export function branchOf({ name, parent }: Pick<ElderSpec, 'name' | 'parent'>): Branch {
  if (isServant(name)) return 'servants';
  return parent === null ? 'root' : (parent as Branch);
}

/** Gives the branch in which a branch stands as a child; `null` for the root. */
export function branchAbove(branch: Branch): Branch | null {
  return above[branch];
}

/**
 * Groups the elders of a tree in the order in which they start, an elder before those below it; the elders of
 * a group start side by side. They stop in the reverse. In a branch that is `rest_for_one` the children start one by one.
 */
export function startGroups({ config, specs }: Family): ElderSpec[][] {
  const members = Map.groupBy(specs, branchOf);
  const { branches } = config.supervision;
  const below = (branch: Branch): ElderSpec[][] => {
    const children = members.get(branch) ?? [];
    const sideBySide = Map.groupBy(children, ({ name }) => childSpec(config, name).order);
    const orders = [...sideBySide.keys()].sort((a, b) => a - b);
    const groups = orders.map((order) => sideBySide.get(order) ?? []);
    // Those that have a branch below them come one by one, each followed by that.
    const one = branches[branch].strategy === 'rest_for_one' || branch === 'grand_elder';
    return one ? groups.flat().map((child) => [child]) : groups;
  };
  return [
    ...below('root'),
    ...below('grand_elder').flatMap((group) =>
      group[0]?.name === 'claude_elder' ? [group, ...below('claude_elder')] : [group],
    ),
    ...below('servants'),
  ];
}

function isWithin(branch: Branch, spec: ElderSpec): boolean {
  for (let at: Branch | null = branchOf(spec); at !== null; at = above[at]) {
    if (at === branch) return true;
  }
  return false;
}

/** Gives the start groups of a branch and of all branches below it. */
export function groupsWithin(family: Family, branch: Branch): ElderSpec[][] {
  return startGroups(family).filter(([first]) => first !== undefined && isWithin(branch, first));
}

/** Gives the start groups of what `rest_for_one` restarts with an elder: all that start after it within its branch. */
export function groupsAfter(family: Family, spec: ElderSpec): ElderSpec[][] {
  const groups = groupsWithin(family, branchOf(spec));
  return groups.slice(groups.findIndex((group) => group.some(({ name }) => name === spec.name)) + 1);
}
