import { type Action, actionSpec, actions } from './actions.ts';
import { edgeActions, principals } from './edges.ts';
import {
  everyone,
  isDelegated,
  mayPerform,
  maySendFor,
  ownDuties,
  permissionFor,
  permissionMatrix,
  permissionsOf,
  type Verdict,
} from './permissions.ts';
import { type Role, roleOf, roster } from './roster.ts';

/** Everybody that rights speak of; one servant stands for all. */
export const rightHolders: readonly string[] = principals(roster(1));

const everyAction = Object.keys(actions) as Action[];

/** A question about a right. */
export interface RightQuestion {
  readonly action: Action;
  readonly as: string;
  /** Without it: toward anybody. */
  readonly to?: string;
  /** Who had the asker do this, the first first. */
  readonly onBehalfOf?: readonly string[];
}

/** Answers whether a principal may send an action: the same decision that its sender and its receiver take. */
export function canSend({
  action,
  as,
  to,
  onBehalfOf = [],
}: RightQuestion): Verdict & { readonly to: readonly string[] } {
  const decide = (target: string): Verdict => {
    const sending = maySendFor(as, target, action, onBehalfOf);
    const performing = mayPerform(target, action);
    if (sending.allowed && !performing.allowed) return performing;
    const isChain = sending.allowed && onBehalfOf.length > 0 && isDelegated(as, action);
    const others = `so does each of ${onBehalfOf.join(', ')}, on whose behalf it is asked`;
    return isChain ? { ...sending, rule: `${sending.rule}; ${others}` } : sending;
  };
  if (to !== undefined) {
    const verdict = decide(to);
    return { ...verdict, to: verdict.allowed ? [to] : [] };
  }
  const targets = rightHolders.filter((name) => edgeActions(as, name).includes(action));
  const verdicts = targets.map((name) => ({ name, ...decide(name) }));
  const allowed = verdicts.filter((verdict) => verdict.allowed);
  const [first] = allowed.length > 0 ? allowed : verdicts;
  if (first) return { allowed: first.allowed, rule: first.rule, to: allowed.map(({ name }) => name) };
  const permission = permissionFor(as, action);
  const holds =
    permission === undefined ? `${as} holds no permission for it either` : `though ${as} holds ${permission}`;
  return { allowed: false, rule: `no edge from ${as} carries ${action}; ${holds}`, to: [] };
}

/** One thing that is allowed, and by what. */
export interface Right {
  readonly from: string;
  readonly to: string;
  readonly action: Action;
  readonly permission: string;
  /** Whether everybody on whose behalf it is sent needs the right to it too. */
  readonly delegated: boolean;
}

const common: ReadonlySet<string> = new Set(everyone.map(({ permission }) => permission));

/** All rights, from the one table; what is not here is denied. */
export function rightsMatrix() {
  const rights: Right[] = [];
  for (const from of rightHolders) {
    for (const to of rightHolders) {
      for (const action of edgeActions(from, to)) {
        const permission = permissionFor(from, action);
        if (permission === undefined) continue;
        rights.push({ from, to, action, permission, delegated: isDelegated(from, action) });
      }
    }
  }
  const holders = rightHolders.map((name) => {
    const role = roleOf(name) as Role;
    const duties = everyAction.filter(
      (action) => ownDuties[role]?.includes(action) && permissionFor(name, action),
    );
    const permissions = permissionsOf(name).filter((permission) => !common.has(permission));
    return { name, role, permissions, duties };
  });
  const receivers = everyAction.flatMap((action) => {
    const { performs } = actionSpec(action);
    return performs === undefined ? [] : [{ action, performs }];
  });
  return { roles: permissionMatrix, everyone, holders, rights, receivers };
}
