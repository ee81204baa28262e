import { z } from 'zod';
import { approvalRecord } from './approval.ts';
import { auditEntry } from './audit.ts';
import {
  artifactList,
  attemptProgress,
  attemptRecord,
  attemptUsage,
  directiveForecast,
  directiveOutcome,
  directiveRecord,
  directiveSpec,
  gitResult,
  maxTasks,
  taskRecord,
  taskSpec,
  testSummary,
} from './directive.ts';
import { json } from './json.ts';
import {
  forgottenKnowledge,
  knowledgeEntry,
  knowledgeFilters,
  knowledgeForget,
  knowledgeHit,
  knowledgeKinds,
  knowledgeLinks,
  knowledgePut,
  knowledgePutResult,
  knowledgeVersion,
} from './knowledge.ts';
import type { MessageType } from './message.ts';
import { ragAnswer, ragContext, ragSource, ragVectors } from './rag.ts';
import { attemptOutcomes, taskOperations, taskStates } from './states.ts';

const directiveId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'expected letters, digits, _ and -');
const empty = z.object({});
const leaseId = z.string().min(1).max(128);

/** Names one dead letter: who keeps it, and its message. */
const deadLetterOrder = z.object({
  elder: z.string().max(64),
  messageId: z.string().min(1).max(256).describe('Its message; of an unreadable one, `edge@entry`.'),
  by: z.string().max(64).optional().describe('Whom the grand elder had the order from.'),
});

/** What an emergency is about: one directive, or with `null` all. */
const haltOrder = z.object({ directiveId: directiveId.nullable(), reason: z.string().min(1).max(500) });

/** An incident as it is raised; equal fingerprints are one incident. */
export const incidentReport = z.object({
  fingerprint: z.string().min(1).max(256),
  title: z.string().min(1).max(300),
  severity: z.enum(['low', 'medium', 'high', 'critical']),
  detail: z.string().max(8_000),
  directiveId: directiveId.nullable(),
});
export type IncidentReport = z.infer<typeof incidentReport>;

/** An incident as the incident sage keeps it. Times are ms since the epoch. */
export const incidentRecord = incidentReport.extend({
  id: z.string(),
  source: z.string(),
  count: z.int(),
  firstAt: z.number(),
  lastAt: z.number(),
});
export type IncidentRecord = z.infer<typeof incidentRecord>;

/** A piece of knowledge that an elder writes; what it leaves out has its usual value. */
export const knowledgeDraft = z.object({
  key: z.string().min(1).max(200).describe('Id of the entry; storing it again makes a new version.'),
  title: z.string().min(1).max(300),
  body: z.string().max(65_536),
  tags: z.array(z.string().max(64)).max(32),
  directiveId: directiveId.nullable(),
  kind: z.enum(knowledgeKinds).optional(),
  source: z.string().min(1).max(300).optional(),
  confidence: z.number().min(0).max(1).nullable().optional(),
  derived: z.boolean().optional(),
  links: knowledgeLinks.optional(),
});
export type KnowledgeDraft = z.infer<typeof knowledgeDraft>;

/** What one finished attempt came to, told by the servant. */
export const attemptResult = z.object({
  directiveId,
  taskId: z.string(),
  lease: leaseId,
  attempt: z.int().min(1),
  outcome: z.enum(attemptOutcomes),
  exitCode: z.int().nullable(),
  signal: z.string().nullable(),
  startedAt: z.number().nullable(),
  finishedAt: z.number(),
  reason: z.string().nullable(),
  output: taskRecord.shape.output,
  outputs: z
    .record(z.string().max(64), z.string().max(8_192))
    .optional()
    .describe('What it wrote to `$ELDERS_OUTPUT`.'),
  tests: testSummary.optional(),
  git: gitResult.optional(),
  usage: attemptUsage.optional(),
  artifacts: artifactList.optional(),
  added: z.array(taskSpec).max(500).optional().describe('Tasks that it wrote to `$ELDERS_TASKS`.'),
});
export type AttemptResult = z.infer<typeof attemptResult>;

/** Tasks for a directive that is under way. */
const addedTasks = z.object({ directiveId, tasks: z.array(taskSpec).min(1).max(maxTasks) });

/** What a person wants of a task, or with `null` of all tasks of a directive. */
const taskOrder = z.object({
  directiveId,
  taskId: z.string().max(128).nullable(),
  operation: z.enum(taskOperations),
  subtree: z.boolean().default(false).describe('With everything that waits for it.'),
  reason: z.string().max(500),
});
export type TaskOrder = z.infer<typeof taskOrder>;

const taskOrderResult = z.object({
  directiveId,
  operation: z.enum(taskOperations),
  count: z.int().describe('How many tasks it changed.'),
  tasks: z.array(z.string()).describe('The first hundred of them.'),
});

const ragPath = z.string().min(1).max(4_096).regex(/^\//, 'expected an absolute path');
const ragOrder = z.object({ path: ragPath });

interface ActionSpec {
  readonly type: MessageType;
  readonly summary: string;
  readonly payload: z.ZodObject;
  /** What the answer to a query, or the acknowledgement's result, looks like. */
  readonly reply?: z.ZodType;
  /** Set where it travels in a lane of its own, whatever its type and priority. */
  readonly lane?: 'control';
  /** Set where the schema is fixed but no handler is built. */
  readonly builtLater?: true;
  /** The permission that the receiver must hold to carry this out, where it is not its own domain. */
  readonly performs?: string;
}

/** Every action that a message can carry. */
export const actions = {
  'elder.ping': {
    type: 'query',
    summary: 'Answers who this is: proves the way there and back through the streams.',
    payload: empty,
    reply: z.object({ name: z.string(), incarnation: z.int(), commitNumber: z.int(), pid: z.int() }),
  },
  'elder.dead_letter.replay': {
    type: 'command',
    lane: 'control',
    summary: 'Handle this dead letter once more; if that fails it is a dead letter again.',
    payload: deadLetterOrder,
    reply: z.object({ elder: z.string(), messageId: z.string() }),
  },
  'elder.dead_letter.discard': {
    type: 'command',
    lane: 'control',
    summary: 'Throw this dead letter away.',
    payload: deadLetterOrder,
    reply: z.object({ elder: z.string(), messageId: z.string() }),
  },
  'emergency.halt': {
    type: 'emergency',
    summary:
      'End running commands and hand out no tasks, of one directive or of all, until `emergency.resume`.',
    payload: haltOrder,
    reply: haltOrder.extend({ at: z.number(), told: z.array(z.string()) }),
  },
  'emergency.resume': {
    type: 'emergency',
    summary: 'Take a halt back; what it ended starts again as a new attempt.',
    payload: haltOrder,
    reply: haltOrder.extend({ at: z.number(), told: z.array(z.string()) }),
  },
  'supervision.servants': {
    type: 'command',
    lane: 'control',
    summary: 'These servants are there, those included that are being drained: an emergency concerns them.',
    payload: z.object({
      revision: z.int().min(1).describe('By which the manager sees that this is in force.'),
      names: z.array(z.string().max(64)).max(1_000),
    }),
  },
  'audit.report': {
    type: 'report',
    lane: 'control',
    summary: 'Happenings for the audit log; the manager writes it, as the principal `auditor`.',
    payload: z.object({
      entries: z
        .array(auditEntry.omit({ by: true, from: true }))
        .min(1)
        .max(64),
    }),
  },
  'approval.list': {
    type: 'query',
    summary: 'What waits for the human, and what was decided lately; the newest first.',
    payload: z.object({ limit: z.int().min(1).max(1000).default(100) }),
    reply: z.object({ approvals: z.array(approvalRecord) }),
  },
  'approval.decide': {
    type: 'command',
    summary: 'The human approves or denies exactly what the approval names, once.',
    payload: z.object({
      approvalId: z.string().min(1).max(64),
      decision: z.enum(['approve', 'deny']),
      digest: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .optional()
        .describe('SHA-256 of what the human saw; it must be that of what waits.'),
      reason: z.string().max(500).default(''),
    }),
    reply: approvalRecord,
  },
  'development.directive.submit': {
    type: 'command',
    summary: 'The human wants this done.',
    payload: z.object({ directiveId, directive: directiveSpec }),
    reply: directiveRecord,
  },
  'development.directive.cancel': {
    type: 'command',
    summary: 'Stop working on a directive; running commands are ended.',
    payload: z.object({ directiveId, reason: z.string().max(500) }),
    reply: directiveRecord,
  },
  'development.directive.show': {
    type: 'query',
    summary: 'The record of one directive.',
    payload: z.object({ directiveId }),
    reply: directiveRecord,
  },
  'development.directive.list': {
    type: 'query',
    summary: 'The records of the newest directives.',
    payload: z.object({ limit: z.int().min(1).max(1000).default(50) }),
    reply: z.object({ directives: z.array(directiveRecord) }),
  },
  'development.directive.execute': {
    type: 'command',
    summary: 'Plan and carry out an accepted directive.',
    payload: z.object({ directiveId, directive: directiveSpec }),
  },
  'report.directive.progress': {
    type: 'report',
    summary:
      'The directive is planned, its first task has started, or tasks of it are tried again after its end.',
    payload: z.object({
      directiveId,
      state: z.enum(['planned', 'executing', 'reopened']),
      lessons: z.array(z.string()).default([]).describe('Titles of what was known before the plan was made.'),
    }),
  },
  'report.directive.finished': {
    type: 'report',
    summary: 'The directive has ended, with the number of tasks per state.',
    payload: z.object({
      directiveId,
      outcome: directiveOutcome,
      reason: z.string().nullable(),
      summary: z.record(z.string(), z.int()),
    }),
  },
  'sage.knowledge.search': {
    type: 'query',
    summary: 'Find what is known; Japanese and English words.',
    payload: knowledgeFilters.extend({
      query: z.string().min(1).max(2_000),
      limit: z.int().min(1).max(50).default(5),
      distinct: z.boolean().default(false).describe('Of entries that say nearly the same, only the best.'),
      explain: z.boolean().default(false),
    }),
    reply: z.object({
      method: z.enum(['lexical', 'scan']).optional().describe('Full-text index, or every entry looked at.'),
      entries: z.array(knowledgeHit),
    }),
  },
  'sage.knowledge.show': {
    type: 'query',
    summary: 'One entry, as it is or as it was in a version.',
    payload: z.object({ id: z.string().min(1).max(200), version: z.int().min(1).optional() }),
    reply: knowledgeEntry,
  },
  'sage.knowledge.history': {
    type: 'query',
    summary: 'The versions of an entry, the newest first.',
    payload: z.object({ id: z.string().min(1).max(200) }),
    reply: z.object({ id: z.string(), versions: z.array(knowledgeVersion), dropped: z.int() }),
  },
  'sage.knowledge.list': {
    type: 'query',
    summary: 'Entries: the newest first, or, for reading all, by id.',
    payload: knowledgeFilters.extend({
      limit: z.int().min(1).max(500).default(50),
      after: z.string().max(200).optional().describe('Those whose ids come after this, with their bodies.'),
    }),
    reply: z.object({ entries: z.array(knowledgeEntry), total: z.int(), more: z.boolean() }),
  },
  'development.knowledge.put': {
    type: 'command',
    summary: 'The human adds or changes pieces of knowledge; each is taken or refused by itself.',
    payload: knowledgePut,
    reply: z.object({ results: z.array(knowledgePutResult) }),
  },
  'sage.knowledge.put': {
    type: 'command',
    summary: 'Add or change pieces of knowledge; each is taken or refused by itself.',
    payload: knowledgePut,
    reply: z.object({ results: z.array(knowledgePutResult) }),
  },
  'development.knowledge.forget': {
    type: 'command',
    summary: 'The human removes a piece of knowledge with all its versions.',
    payload: knowledgeForget,
    reply: forgottenKnowledge,
  },
  'sage.knowledge.forget': {
    type: 'command',
    summary: 'Remove a piece of knowledge with all its versions.',
    payload: knowledgeForget,
    reply: forgottenKnowledge,
  },
  'sage.knowledge.store': {
    type: 'command',
    summary: 'Keep a piece of knowledge.',
    payload: knowledgeDraft,
  },
  'sage.task.create': {
    type: 'command',
    summary: 'Own this graph of tasks and have it executed.',
    payload: z.object({
      directiveId,
      title: z.string(),
      workspace: z.string(),
      tasks: z.array(taskSpec),
      deadlineMs: z.int().min(1).optional(),
    }),
  },
  'development.task.add': {
    type: 'command',
    summary: 'Add tasks to a directive under way; they may need those that it has.',
    payload: addedTasks,
    reply: z.object({ directiveId, added: z.int() }),
  },
  'sage.task.add': {
    type: 'command',
    summary: 'Add tasks to a graph under way.',
    payload: addedTasks,
    reply: z.object({ directiveId, added: z.int() }),
  },
  'development.task.control': {
    type: 'command',
    summary: 'Pause, resume, retry or cancel a task, or all tasks of a directive.',
    payload: taskOrder,
    reply: taskOrderResult,
  },
  'sage.task.control': {
    type: 'command',
    summary: 'Pause, resume, retry or cancel a task, or all tasks of a directive.',
    payload: taskOrder,
    reply: taskOrderResult,
  },
  'sage.task.cancel': {
    type: 'command',
    summary: 'Cancel every unfinished task of a directive.',
    payload: z.object({ directiveId, reason: z.string() }),
  },
  'sage.task.graph': {
    type: 'query',
    summary:
      'The tasks of one directive that changed after revision `since`, oldest change first; 0 gives all.',
    payload: z.object({
      directiveId,
      since: z.int().min(0).default(0),
      limit: z.int().min(1).max(200).default(200),
    }),
    reply: z.object({
      directiveId,
      summary: z.record(z.string(), z.int()),
      revision: z.int().describe('Ask with this as `since` for what comes after.'),
      more: z.boolean(),
      tasks: z.array(taskRecord),
      paused: z.string().nullable().default(null).describe('Why none of its tasks starts now.'),
      archived: z.boolean().default(false).describe('Its tasks are no longer kept.'),
      forecast: directiveForecast.nullable().default(null),
    }),
  },
  'sage.task.list': {
    type: 'query',
    summary: 'Tasks over all directives, those under way first.',
    payload: z.object({
      directiveId: directiveId.optional(),
      states: z.array(z.enum(taskStates)).default([]).describe('Only these; none given means all.'),
      limit: z.int().min(1).max(500).default(100),
    }),
    reply: z.object({
      tasks: z.array(taskRecord.extend({ directiveId })),
      more: z.boolean(),
      counts: z.record(z.string(), z.int()).describe('All tasks that are kept, by state.'),
    }),
  },
  'sage.task.show': {
    type: 'query',
    summary: 'All that is kept of one task.',
    payload: z.object({ directiveId, taskId: z.string().max(128) }),
    reply: taskRecord.extend({ directiveId, workspace: z.string() }),
  },
  'sage.task.assign': {
    type: 'command',
    summary: 'Execute this attempt under this lease.',
    payload: z.object({
      directiveId,
      workspace: z.string(),
      task: taskSpec,
      attempt: z.int().min(1),
      lease: leaseId,
      leaseMs: z.int().min(1),
      expiresAt: z.number().describe('When the lease ends unless it is renewed, ms since the epoch.'),
      bases: z
        .array(z.string().regex(/^[0-9a-f]{40,64}$/))
        .optional()
        .describe('Commits of the tasks that it needs, for a worktree to begin from.'),
    }),
    performs: 'task.execute',
  },
  'sage.task.revoke': {
    type: 'command',
    summary: 'End the attempt under this lease and report it.',
    payload: z.object({
      directiveId,
      taskId: z.string(),
      attempt: z.int().min(1),
      lease: leaseId,
      reason: z.string(),
    }),
    performs: 'task.execute',
  },
  'sage.task.servants': {
    type: 'command',
    summary: 'Give tasks to these servants and to no others; what a servant has already, it finishes.',
    payload: z.object({
      revision: z.int().min(1).describe('By which the manager sees that this is in force.'),
      members: z.array(z.string().max(64)).max(1_000),
      watch: z.boolean().describe('Whether to note how many tasks wait, and since when.'),
    }),
    lane: 'control',
  },
  'report.to_sage.available': {
    type: 'report',
    summary: 'A servant has started; what its predecessor left unfinished is over and is reported apart.',
    payload: z.object({ incarnation: z.int() }),
  },
  'report.to_sage.draining': {
    type: 'report',
    summary: 'This servant finishes what it has and takes nothing new until it is available again.',
    payload: z.object({ incarnation: z.int() }),
  },
  'report.to_sage.attempt_started': {
    type: 'report',
    summary: 'The command of an attempt runs.',
    payload: z.object({
      directiveId,
      taskId: z.string(),
      lease: leaseId,
      attempt: z.int(),
      startedAt: z.number(),
    }),
  },
  'report.to_sage.lease_renewed': {
    type: 'report',
    summary: 'The attempt under this lease still runs.',
    payload: z.object({ lease: leaseId }),
  },
  'report.to_sage.attempt_progress': {
    type: 'report',
    summary: 'How far the command of an attempt says that it is.',
    payload: z.object({ lease: leaseId, progress: attemptProgress }),
  },
  'report.to_sage.attempt_finished': {
    type: 'report',
    summary: 'An attempt has ended, and its whole process tree with it.',
    payload: attemptResult,
  },
  'report.to_elder.graph_started': {
    type: 'report',
    summary: 'The first task of a directive runs.',
    payload: z.object({ directiveId }),
  },
  'report.to_elder.graph_reopened': {
    type: 'report',
    summary: 'A directive that had ended is worked on again, because somebody retries tasks of it.',
    payload: z.object({ directiveId }),
  },
  'report.to_elder.graph_finished': {
    type: 'report',
    summary: 'Every task of a directive has its outcome.',
    payload: z.object({
      directiveId,
      outcome: directiveOutcome,
      summary: z.record(z.string(), z.int()),
      failures: z.array(
        z.object({ taskId: z.string(), reason: z.string(), exitCode: z.int().nullable(), tail: z.string() }),
      ),
      retried: z.array(z.object({ taskId: z.string(), attempts: z.array(attemptRecord) })),
      durationMs: z.number(),
    }),
  },
  'incident.raise': {
    type: 'report',
    summary: 'Something went wrong; equal fingerprints are counted as one incident.',
    payload: incidentReport,
    performs: 'sage.own_domain.raise',
  },
  'sage.incident.list': {
    type: 'query',
    summary: 'The newest incidents.',
    payload: z.object({ limit: z.int().min(1).max(500).default(50) }),
    reply: z.object({ incidents: z.array(incidentRecord) }),
  },
  'sage.rag.search': {
    type: 'query',
    summary: 'Passages of code and documents with citations.',
    payload: z.object({
      query: z.string().min(1).max(2_000),
      limit: z.int().min(1).max(50).default(5),
      below: ragPath.nullable().default(null).describe('Only files below this folder.'),
      explain: z.boolean().default(false),
    }),
    reply: ragAnswer,
  },
  'sage.rag.context': {
    type: 'query',
    summary: 'The best passages put together for a model to read, within a number of tokens.',
    payload: z.object({
      query: z.string().min(1).max(2_000),
      budget: z.int().min(64).max(100_000).default(4_000).describe('Tokens, as they are estimated.'),
      below: ragPath.nullable().default(null),
    }),
    reply: ragContext,
  },
  'sage.rag.status': {
    type: 'query',
    summary: 'The folders that are indexed, what was left out of them and why.',
    payload: z.object({
      settled: ragPath
        .nullable()
        .default(null)
        .describe('Answer when this folder is not being indexed any more.'),
    }),
    reply: z.object({
      sources: z.array(ragSource),
      vectors: ragVectors.nullable().describe('Null: no embedding server is configured.'),
    }),
  },
  'development.rag.index': {
    type: 'command',
    summary: 'Keep a folder indexed.',
    payload: ragOrder,
    reply: ragSource,
  },
  'development.rag.forget': {
    type: 'command',
    summary: 'Take a folder out of the index.',
    payload: ragOrder,
    reply: ragSource,
  },
  'sage.rag.index': {
    type: 'command',
    summary: 'Keep a folder indexed.',
    payload: ragOrder,
    reply: ragSource,
  },
  'sage.rag.forget': {
    type: 'command',
    summary: 'Take a folder out of the index.',
    payload: ragOrder,
    reply: ragSource,
  },
  'council.propose': {
    type: 'command',
    summary: 'Put a question to the vote.',
    payload: z.object({ title: z.string(), body: z.string() }),
    builtLater: true,
  },
  'reply.result': {
    type: 'report',
    summary: 'The answer to the message named by `causation_id`.',
    payload: z.object({ result: json }),
  },
  'reply.error': {
    type: 'report',
    summary: 'Why the message named by `causation_id` got no answer.',
    payload: z.object({ code: z.string(), reason: z.string(), detail: json.optional() }),
  },
  'reply.acknowledge': {
    type: 'acknowledge',
    summary: 'What became of a message that asked for it: acted on, or dead.',
    payload: z.object({
      original_message_id: z.string(),
      status: z.enum(['acted', 'dead']),
      reason: z.string().nullable(),
    }),
  },
} as const satisfies Record<string, ActionSpec>;

export type Action = keyof typeof actions;
export type PayloadOf<A extends Action> = z.output<(typeof actions)[A]['payload']>;
export type PayloadInput<A extends Action> = z.input<(typeof actions)[A]['payload']>;
export type ReplyOf<A extends Action> = (typeof actions)[A] extends { reply: infer R extends z.ZodType }
  ? z.output<R>
  : never;

/** Tells whether a string names an action of the table. */
export function isAction(name: string): name is Action {
  return Object.hasOwn(actions, name);
}

/** Gives the spec of an action with its optional fields visible. */
export function actionSpec(action: Action): ActionSpec {
  return actions[action];
}
