import { type Action, actionSpec } from './actions.ts';
import { edgeActions } from './edges.ts';
import { type Role, roleOf } from './roster.ts';

interface Grant {
  readonly permission: string;
  /** Not in the original document's matrix; added because an edge of the design needs it. */
  readonly added?: true;
}

/**
 * ProcessPermissions: what each role may send and carry out. A grant covers the action of its name and all
 * below it; `*` covers everything; `sage.own_domain` is bound to the name of the sage (task_sage → `sage.task`).
 */
export const permissionMatrix: Readonly<Record<Role, readonly Grant[]>> = {
  grand_elder: [{ permission: '*' }],
  claude_elder: [
    { permission: 'development.*' },
    { permission: 'sage.*' },
    { permission: 'report.*' },
    { permission: 'council.propose', added: true },
  ],
  sage: [
    { permission: 'sage.own_domain.*' },
    { permission: 'report.to_elder' },
    { permission: 'sage.consult', added: true },
    { permission: 'council.vote', added: true },
    { permission: 'council.propose', added: true },
    { permission: 'incident.raise', added: true },
    { permission: 'knowledge.contribute', added: true },
  ],
  servant: [{ permission: 'task.execute' }, { permission: 'report.to_sage' }],
  council: [
    { permission: 'council.*', added: true },
    { permission: 'report.to_elder', added: true },
    { permission: 'incident.raise', added: true },
  ],
  manager: [{ permission: 'incident.raise', added: true }],
  gateway: [
    { permission: 'development.directive', added: true },
    { permission: 'emergency', added: true },
    { permission: 'elder.dead_letter', added: true },
    { permission: 'sage.knowledge.search', added: true },
    { permission: 'development.task', added: true },
    { permission: 'sage.task.graph', added: true },
    { permission: 'sage.task.list', added: true },
    { permission: 'sage.task.show', added: true },
    { permission: 'sage.rag.search', added: true },
    { permission: 'sage.incident.list', added: true },
  ],
};

/** Rights that every principal has: to say that it is alive, and to answer on an edge that carries answers. */
const everyone: readonly Grant[] = [{ permission: 'elder.ping' }, { permission: 'reply' }];

function bind(permission: string, name: string): string {
  const domain = name.endsWith('_sage') ? name.slice(0, -'_sage'.length) : '';
  return permission.replace('sage.own_domain', `sage.${domain}`);
}

function covers(permission: string, wanted: string): boolean {
  if (permission === '*') return true;
  const stem = permission.endsWith('.*') ? permission.slice(0, -2) : permission;
  return wanted === stem || wanted.startsWith(`${stem}.`);
}

/** Lists the permissions of a principal with `own_domain` bound to its name. */
export function permissionsOf(name: string): string[] {
  const role = roleOf(name);
  const grants = role === undefined ? [] : [...permissionMatrix[role], ...everyone];
  return grants.map((grant) => bind(grant.permission, name));
}

/** Why something is or is not allowed; `rule` names what decided. */
export interface Verdict {
  readonly allowed: boolean;
  readonly rule: string;
}

/** Every message asks this twice. Only what is allowed is kept: names that nobody knows would fill it. */
const allowedSends = new Map<string, Verdict>();

/** Decides whether `from` may send `action` to `to`: there must be an edge that carries it and a right that covers it. */
export function maySend(from: string, to: string, action: Action): Verdict {
  const question = `${from} ${to} ${action}`;
  const known = allowedSends.get(question);
  if (known) return known;
  const verdict = decideSend(from, to, action);
  if (verdict.allowed) allowedSends.set(question, verdict);
  return verdict;
}

function decideSend(from: string, to: string, action: Action): Verdict {
  if (!edgeActions(from, to).includes(action)) {
    return { allowed: false, rule: `no edge ${from} → ${to} carries ${action}` };
  }
  const permission = permissionsOf(from).find((candidate) => covers(candidate, action));
  if (permission === undefined) return { allowed: false, rule: `${from} holds no permission for ${action}` };
  return { allowed: true, rule: `${from} holds ${permission} and the edge to ${to} carries ${action}` };
}

/** Decides whether `name` may carry out `action` when it receives it. */
export function mayPerform(name: string, action: Action): Verdict {
  const { performs } = actionSpec(action);
  if (performs === undefined) return { allowed: true, rule: `${action} asks for no right of its receiver` };
  const wanted = bind(performs, name);
  const permission = permissionsOf(name).find((candidate) => covers(candidate, wanted));
  if (permission === undefined) return { allowed: false, rule: `${name} holds no permission for ${wanted}` };
  return { allowed: true, rule: `${name} holds ${permission}` };
}
