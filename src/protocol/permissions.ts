import { type Action, actionSpec, isAction } from './actions.ts';
import { edgeActions } from './edges.ts';
import type { MessageType } from './message.ts';
import { type Role, roleOf } from './roster.ts';

interface Grant {
  readonly permission: string;
  /** Not in the original document's matrix; added because an edge of the design needs it. */
  readonly added?: true;
}

/**
 * ProcessPermissions: what each role may send and carry out. A grant covers the action of its name and all
 * below it; `*` covers everything; `sage.own_domain` is bound to the name of the sage (task_sage → `sage.task`),
 * which is that in its certificate.
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
  manager: [
    { permission: 'incident.raise', added: true },
    { permission: 'sage.task.servants', added: true },
    { permission: 'supervision.servants', added: true },
  ],
  gateway: [
    { permission: 'development.directive', added: true },
    { permission: 'emergency', added: true },
    { permission: 'elder.dead_letter', added: true },
    { permission: 'approval', added: true },
    { permission: 'sage.knowledge.search', added: true },
    { permission: 'sage.knowledge.show', added: true },
    { permission: 'sage.knowledge.history', added: true },
    { permission: 'sage.knowledge.list', added: true },
    { permission: 'development.knowledge', added: true },
    { permission: 'development.task', added: true },
    { permission: 'sage.task.graph', added: true },
    { permission: 'sage.task.list', added: true },
    { permission: 'sage.task.show', added: true },
    { permission: 'development.rag', added: true },
    { permission: 'sage.rag.search', added: true },
    { permission: 'sage.rag.context', added: true },
    { permission: 'sage.rag.status', added: true },
    { permission: 'sage.incident.list', added: true },
  ],
  auditor: [],
};

/** Rights that every principal has: to say that it is alive, to answer on an edge that carries answers, to tell of refusals. */
export const everyone: readonly Grant[] = [
  { permission: 'elder.ping' },
  { permission: 'reply' },
  { permission: 'audit.report', added: true },
];

/**
 * What a role asks for out of its own duty, whoever's message made it do so: it decides for itself and answers for it.
 * All other requests that are caused by a message are made on behalf of its sender and of everybody on
 * whose behalf that was sent, and need the right of each of them.
 */
export const ownDuties: Readonly<Partial<Record<Role, readonly string[]>>> = {
  // A directive that has ended takes its halt with it.
  grand_elder: ['emergency.resume'],
  // Planning: what the grand elder has accepted becomes tasks, what the workers proved becomes knowledge.
  claude_elder: [
    'sage.task.create',
    'sage.task.cancel',
    // What the human may ask for as `development.task.*` becomes an order to the task sage.
    'sage.task.add',
    'sage.task.control',
    // As `development.rag.*`.
    'sage.rag.index',
    'sage.rag.forget',
    'sage.knowledge.store',
    // What the human may ask for as `development.knowledge.*`.
    'sage.knowledge.put',
    'sage.knowledge.forget',
    'council.propose',
  ],
  // Handing out what it owns, and raising what it sees.
  sage: ['sage.task.assign', 'sage.task.revoke', 'sage.task.recall', 'council.propose'],
};

/**
 * Messages of these types ask for nothing: they say what their sender knows, and that is its own to say. They tell on
 * whose behalf they were sent all the same, so that what a report leads to is not the reporter's right alone.
 */
const statements: ReadonlySet<MessageType> = new Set(['report', 'acknowledge', 'heartbeat']);

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

/** By action and name. As `allowedSends`: every link of a chain is asked for. */
const foundPermissions = new Map<string, Map<string, string>>();

/** Gives the permission of `name` that covers an action, edges apart; `undefined` if there is none. */
export function permissionFor(name: string, action: string): string | undefined {
  const known = foundPermissions.get(action)?.get(name);
  if (known !== undefined) return known;
  const permission = permissionsOf(name).find((candidate) => covers(candidate, action));
  if (permission !== undefined && isAction(action)) {
    const holders = foundPermissions.get(action) ?? new Map<string, string>();
    foundPermissions.set(action, holders.set(name, permission));
  }
  return permission;
}

/** Why something is or is not allowed; `rule` names what decided. */
export interface Verdict {
  readonly allowed: boolean;
  readonly rule: string;
}

/** Every message asks this twice. Only what is allowed is kept: names that nobody knows would fill it. */
const allowedSends = new Map<string, Map<string, Map<Action, Verdict>>>();

/** Decides whether `from` may send `action` to `to`: there must be an edge that carries it and a right that covers it. */
export function maySend(from: string, to: string, action: Action): Verdict {
  const known = allowedSends.get(from)?.get(to)?.get(action);
  if (known) return known;
  const verdict = decideSend(from, to, action);
  if (!verdict.allowed) return verdict;
  const bySender = allowedSends.get(from) ?? new Map<string, Map<Action, Verdict>>();
  const byTarget = bySender.get(to) ?? new Map<Action, Verdict>();
  allowedSends.set(from, bySender.set(to, byTarget.set(action, verdict)));
  return verdict;
}

function decideSend(from: string, to: string, action: Action): Verdict {
  if (!edgeActions(from, to).includes(action)) {
    return { allowed: false, rule: `no edge ${from} → ${to} carries ${action}` };
  }
  const permission = permissionFor(from, action);
  if (permission === undefined) return { allowed: false, rule: `${from} holds no permission for ${action}` };
  return { allowed: true, rule: `${from} holds ${permission} and the edge to ${to} carries ${action}` };
}

function isOwnDuty(name: string, action: Action): boolean {
  // Most actions are nobody's, which is told faster than a role.
  if (!everyDuty.has(action)) return false;
  const role = roleOf(name);
  return role !== undefined && (ownDuties[role]?.includes(action) ?? false);
}

const everyDuty: ReadonlySet<string> = new Set(Object.values(ownDuties).flat());

/** Whether an action needs the right of everybody on whose behalf `name` sends it. */
export function isDelegated(name: string, action: Action): boolean {
  return !statements.has(actionSpec(action).type) && !isOwnDuty(name, action);
}

/** Gives on whose behalf `name` sends an action that a message with this chain made it send: a duty begins a chain of its own. */
export function chainOfSend(name: string, action: Action, chain: readonly string[]): readonly string[] {
  // An answer goes on with the chain of its question, which the asker has kept.
  return isOwnDuty(name, action) || action.startsWith('reply.') ? [] : chain;
}

const delegated: Verdict = { allowed: true, rule: 'so does everybody on whose behalf it is asked' };

/** Decides whether everybody on whose behalf an action is asked for holds the right to it themselves. */
export function mayDelegate(onBehalfOf: readonly string[], action: Action): Verdict {
  for (const name of onBehalfOf) {
    if (permissionFor(name, action) !== undefined) continue;
    return {
      allowed: false,
      rule: `it is asked on behalf of ${name}, who holds no permission for ${action}`,
    };
  }
  return delegated;
}

/**
 * Decides whether `from` may send `action` to `to` on behalf of others: the right of a chain is that which all of its
 * links have. Nobody gains by what the chain says of the others: leaving somebody out makes it the sender's own
 * request, and each name more can only take away.
 */
export function maySendFor(
  from: string,
  to: string,
  action: Action,
  onBehalfOf: readonly string[] | undefined,
): Verdict {
  const own = maySend(from, to, action);
  if (!own.allowed || onBehalfOf === undefined || onBehalfOf.length === 0) return own;
  if (!isDelegated(from, action)) return own;
  const others = mayDelegate(onBehalfOf, action);
  return others.allowed ? own : others;
}

/** By action and name. */
const allowedPerforms = new Map<Action, Map<string, Verdict>>();

/** Decides whether `name` may carry out `action` when it receives it. */
export function mayPerform(name: string, action: Action): Verdict {
  const known = allowedPerforms.get(action)?.get(name);
  if (known) return known;
  const verdict = decidePerform(name, action);
  if (verdict.allowed && roleOf(name) !== undefined) {
    const performers = allowedPerforms.get(action) ?? new Map<string, Verdict>();
    allowedPerforms.set(action, performers.set(name, verdict));
  }
  return verdict;
}

function decidePerform(name: string, action: Action): Verdict {
  // A sage serves its own domain and no other's, whoever asks.
  const ownDomain = roleOf(name) === 'sage' && action.startsWith('sage.') ? action : undefined;
  const performs = actionSpec(action).performs ?? ownDomain;
  if (performs === undefined) return { allowed: true, rule: `${action} asks for no right of its receiver` };
  const wanted = bind(performs, name);
  const permission = permissionFor(name, wanted);
  if (permission === undefined) return { allowed: false, rule: `${name} holds no permission for ${wanted}` };
  return { allowed: true, rule: `${name} holds ${permission}` };
}
