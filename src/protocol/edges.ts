import { type Action, actionSpec } from './actions.ts';
import { type Lane, laneOf, lanes } from './lanes.ts';
import { type ElderSpec, fixedElders, isServant } from './roster.ts';

/** A row of the edge table; `servant` stands for every servant. */
interface EdgeRow {
  readonly from: string;
  readonly to: string;
  readonly actions: readonly Action[];
}

/** Each elder that exists once, and `servant` for all of those. */
const everyone = [...fixedElders.map(({ name }) => name), 'servant'];
const emergencies = ['emergency.halt', 'emergency.resume'] as const satisfies Action[];
const deadLetters = ['elder.dead_letter.replay', 'elder.dead_letter.discard'] as const satisfies Action[];
const ragOrders = ['development.rag.index', 'development.rag.forget'] as const satisfies Action[];
const ragQuestions = ['sage.rag.search', 'sage.rag.context', 'sage.rag.status'] as const satisfies Action[];
const replies = ['reply.result', 'reply.error', 'reply.acknowledge'] as const satisfies Action[];

/**
 * Who may write to whom, and what. What is not here has no stream, no key and no right:
 * a servant cannot write to the grand elder, because there is nothing to write to.
 */
export const edgeTable: readonly EdgeRow[] = [
  {
    from: 'gateway',
    to: 'grand_elder',
    actions: [
      'elder.ping',
      'development.directive.submit',
      'development.directive.cancel',
      'development.directive.show',
      'development.directive.list',
      'development.task.add',
      'development.task.control',
      'development.knowledge.put',
      'development.knowledge.forget',
      ...ragOrders,
      ...emergencies,
      ...deadLetters,
      'approval.list',
      'approval.decide',
    ],
  },
  { from: 'grand_elder', to: 'gateway', actions: [...replies, ...deadLetters] },
  {
    from: 'gateway',
    to: 'knowledge_sage',
    actions: [
      'elder.ping',
      'sage.knowledge.search',
      'sage.knowledge.show',
      'sage.knowledge.history',
      'sage.knowledge.list',
    ],
  },
  {
    from: 'gateway',
    to: 'task_sage',
    actions: ['elder.ping', 'sage.task.graph', 'sage.task.list', 'sage.task.show'],
  },
  { from: 'gateway', to: 'rag_sage', actions: ['elder.ping', ...ragQuestions] },
  { from: 'gateway', to: 'incident_sage', actions: ['elder.ping', 'sage.incident.list'] },
  { from: 'knowledge_sage', to: 'gateway', actions: replies },
  { from: 'task_sage', to: 'gateway', actions: replies },
  { from: 'rag_sage', to: 'gateway', actions: replies },
  { from: 'incident_sage', to: 'gateway', actions: replies },
  {
    from: 'grand_elder',
    to: 'claude_elder',
    actions: [
      'elder.ping',
      'development.directive.execute',
      'development.directive.cancel',
      'development.task.add',
      'development.task.control',
      'development.knowledge.put',
      'development.knowledge.forget',
      ...ragOrders,
    ],
  },
  ...everyone
    .filter((to) => to !== 'grand_elder')
    .map((to) => ({ from: 'grand_elder', to, actions: [...emergencies, ...deadLetters] })),
  {
    from: 'claude_elder',
    to: 'grand_elder',
    actions: ['report.directive.progress', 'report.directive.finished', ...replies],
  },
  {
    from: 'claude_elder',
    to: 'knowledge_sage',
    actions: ['sage.knowledge.search', 'sage.knowledge.store', 'sage.knowledge.put', 'sage.knowledge.forget'],
  },
  { from: 'knowledge_sage', to: 'claude_elder', actions: replies },
  {
    from: 'claude_elder',
    to: 'task_sage',
    actions: ['sage.task.create', 'sage.task.cancel', 'sage.task.add', 'sage.task.control'],
  },
  {
    from: 'task_sage',
    to: 'claude_elder',
    actions: [
      'report.to_elder.graph_started',
      'report.to_elder.graph_reopened',
      'report.to_elder.graph_finished',
      ...replies,
    ],
  },
  {
    from: 'claude_elder',
    to: 'rag_sage',
    actions: [...ragQuestions, 'sage.rag.index', 'sage.rag.forget'],
  },
  { from: 'rag_sage', to: 'claude_elder', actions: replies },
  { from: 'claude_elder', to: 'incident_sage', actions: ['sage.incident.list'] },
  { from: 'incident_sage', to: 'claude_elder', actions: replies },
  { from: 'task_sage', to: 'servant', actions: ['sage.task.assign', 'sage.task.revoke', 'sage.task.recall'] },
  {
    from: 'servant',
    to: 'task_sage',
    actions: [
      'report.to_sage.available',
      'report.to_sage.draining',
      'report.to_sage.attempt_started',
      'report.to_sage.attempt_progress',
      'report.to_sage.lease_renewed',
      'report.to_sage.attempt_finished',
      'report.to_sage.attempt_returned',
    ],
  },
  { from: 'task_sage', to: 'incident_sage', actions: ['incident.raise'] },
  { from: 'elder_council', to: 'incident_sage', actions: ['incident.raise'] },
  { from: 'manager', to: 'incident_sage', actions: ['incident.raise'] },
  { from: 'manager', to: 'task_sage', actions: ['sage.task.servants'] },
  { from: 'manager', to: 'grand_elder', actions: ['supervision.servants'] },
  // Who was refused what must reach the audit log from wherever it is noticed.
  ...['gateway', ...everyone].map((from) => ({
    from,
    to: 'auditor',
    actions: ['audit.report'] as const satisfies Action[],
  })),
  { from: 'claude_elder', to: 'elder_council', actions: ['council.propose'] },
  { from: 'incident_sage', to: 'elder_council', actions: ['council.propose'] },
  { from: 'elder_council', to: 'claude_elder', actions: replies },
  { from: 'elder_council', to: 'incident_sage', actions: replies },
];

function stands(row: string, name: string): boolean {
  return row === 'servant' ? isServant(name) : row === name;
}

/** Lists the actions that `from` may put on its edge to `to`; empty where there is no edge. */
export function edgeActions(from: string, to: string): readonly Action[] {
  if (from === to) return [];
  const rows = edgeTable.filter((row) => stands(row.from, from) && stands(row.to, to));
  return [...new Set(rows.flatMap((row) => row.actions))];
}

/** Lists the lanes that the actions of an edge can travel in, most urgent first; empty where there is no edge. */
export function edgeLanes(from: string, to: string): readonly Lane[] {
  const specs = edgeActions(from, to).map(actionSpec);
  const control = specs.some(isControl);
  const others = specs.some((spec) => !isControl(spec));
  return lanes.filter((lane) => (lane === 'control' ? control : others));
}

function isControl({ lane, type }: ReturnType<typeof actionSpec>): boolean {
  return (lane ?? laneOf(type, 1)) === 'control';
}

/** Lists the names of every principal that can be at an end of an edge in this tree. */
export function principals(elders: readonly Pick<ElderSpec, 'name'>[]): string[] {
  return ['manager', 'gateway', 'auditor', ...elders.map((elder) => elder.name)];
}

/** Lists whom `name` may write to, in the order of the roster. */
export function targetsOf(name: string, elders: readonly Pick<ElderSpec, 'name'>[]): string[] {
  return principals(elders).filter((other) => edgeActions(name, other).length > 0);
}

/** Lists who may write to `name`, in the order of the roster. */
export function sourcesOf(name: string, elders: readonly Pick<ElderSpec, 'name'>[]): string[] {
  return principals(elders).filter((other) => edgeActions(other, name).length > 0);
}

const readersOfServants = new Set(edgeTable.flatMap(({ from, to }) => (from === 'servant' ? [to] : [])));

/** Tells whether every servant writes to `name`, so that it may read hundreds of edges. */
export function hasManySources(name: string): boolean {
  return readersOfServants.has(name);
}
