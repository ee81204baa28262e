import { z } from 'zod';
import { directiveForecast, directiveRecord, taskRecord } from './directive.ts';

/**
 * HTTP over the two Unix sockets that only the human can open. Errors of both are `{error: WireError}` with
 * status 4xx/5xx; streams are JSON lines.
 */
export const managerRoutes = {
  /** → TreeStatus */
  status: { method: 'GET', path: '/v1/status' },
  /** {mode: 'drain' | 'kill'} → JSON lines of ManagerEvent until the manager has ended */
  shutdown: { method: 'POST', path: '/v1/shutdown' },
  /** ?correlation=ID → {messages: TracedMessage[]} in causal order */
  trace: { method: 'GET', path: '/v1/trace' },
  /** ?id=ID → ShownMessage */
  message: { method: 'GET', path: '/v1/message' },
  /** → {letters: DeadLetterView[]}, the newest first */
  deadLetters: { method: 'GET', path: '/v1/dead-letters' },
  /** → {anchor: AuditHead or null}: where the audit log ends by the word of Redis */
  auditAnchor: { method: 'GET', path: '/v1/audit-anchor' },
  /** ?id=ID → DeadLetterView */
  deadLetter: { method: 'GET', path: '/v1/dead-letter' },
  /** → CertificateList */
  certificates: { method: 'GET', path: '/v1/certificates' },
  /** CertificateRotationRequest → CertificateRotation */
  rotateCertificates: { method: 'POST', path: '/v1/certificates/rotate' },
  /** CertificateRevocationRequest → CertificateRevocation */
  revokeCertificates: { method: 'POST', path: '/v1/certificates/revoke' },
  /** ?name=NAME → ProcessHealth */
  health: { method: 'GET', path: '/v1/health' },
  /** ?name=NAME → ElderDescription */
  elder: { method: 'GET', path: '/v1/elder' },
  /** → TreeMeasure */
  measure: { method: 'GET', path: '/v1/measure' },
  /** RestartRequest → JSON lines of ManagerEvent, then {done: names} or {error: WireError} */
  restart: { method: 'POST', path: '/v1/restart' },
  /** → ScaleState */
  scaling: { method: 'GET', path: '/v1/scale' },
  /** ScaleRequest → JSON lines of ManagerEvent, then {done: ScaleState} or {error: WireError} */
  scale: { method: 'POST', path: '/v1/scale' },
  /** {} → JSON lines of ManagerEvent, then {done: changed settings} or {error: WireError} */
  reload: { method: 'POST', path: '/v1/reload' },
} as const;

export const gatewayRoutes = {
  /** AskRequest → {result} once the target has answered */
  ask: { method: 'POST', path: '/v1/ask' },
  /** ?id=DIRECTIVE → DirectiveView */
  view: { method: 'GET', path: '/v1/directive' },
  /** ?id=DIRECTIVE → JSON lines of DirectiveChange: all tasks first, then what changed, until the directive has ended */
  watch: { method: 'GET', path: '/v1/watch' },
} as const;

/** One line of a watch: the record as it is now and the tasks that changed since the line before. */
export const directiveChange = z.object({
  directive: directiveRecord,
  summary: z.record(z.string(), z.int()),
  tasks: z.array(taskRecord),
  forecast: directiveForecast.nullable().default(null),
});
export type DirectiveChange = z.infer<typeof directiveChange>;

/** A request of the human's, put on one of the gateway's edges. */
export const askRequest = z.object({
  target: z.string().max(64),
  action: z.string().max(128),
  payload: z.record(z.string(), z.json()),
  /** The same key asks the same thing once, however often it is sent. */
  idempotencyKey: z.string().min(8).max(128),
  priority: z.int().min(1).max(10).default(5),
  timeoutMs: z.int().min(1).max(3_600_000).default(30_000),
});
export type AskRequest = z.input<typeof askRequest>;
export type ParsedAsk = z.output<typeof askRequest>;

/** Where the manager stands while it starts or stops the tree. */
export const managerEvent = z.object({
  at: z.number(),
  kind: z.enum([
    'starting',
    'adopted',
    'ready',
    'stopping',
    'stopped',
    'failed',
    'data_lost',
    /** A servant gets no more tasks, finishes what it has, and goes. */
    'draining',
    /** A pool of servants, whose name it bears, has another number of them from now on. */
    'scaled',
    'tree_ready',
    'tree_stopped',
  ]),
  name: z.string().nullable(),
  error: z.object({ code: z.string(), reason: z.string(), detail: z.unknown().optional() }).nullable(),
  /** Of `scaled`: from what to what, by whom, and why. */
  scale: z.object({ from: z.int(), to: z.int(), by: z.string(), reason: z.string().nullable() }).optional(),
});
export type ManagerEvent = z.infer<typeof managerEvent>;

/** Why a process ended before its time. `at` is ms since the epoch. */
export const pastError = z.object({ at: z.number(), kind: z.string(), reason: z.string() });
export type PastError = z.infer<typeof pastError>;

/** One message of a story and how far it came. Times are ms since the epoch. */
export const tracedMessage = z.object({
  id: z.string(),
  source: z.string(),
  target: z.string(),
  type: z.string(),
  action: z.string().nullable(),
  lane: z.string(),
  priority: z.int(),
  correlationId: z.string().nullable(),
  causationId: z.string().nullable(),
  state: z.enum(['queued', 'delivered', 'acted', 'dead']),
  sentAt: z.number(),
  deliveredAt: z.number().nullable(),
  actedAt: z.number().nullable(),
  attempts: z.int(),
  /** Incarnation of the receiver that acted. */
  incarnation: z.int().nullable(),
  error: z.object({ code: z.string(), reason: z.string() }).nullable(),
  /** A reply that came when nobody waited for it any more. */
  late: z.boolean(),
});
export type TracedMessage = z.infer<typeof tracedMessage>;

/** One line of a commit's journal: what became of one message. `x` is the error of a dead one. */
export const journalLine = z.object({
  e: z.string().describe('edge key'),
  i: z.string().describe('stream id of the entry, the last of a run'),
  m: z.string().nullable().optional().describe('message id; null if the entry could not be read'),
  q: z
    .int()
    .optional()
    .describe('of a run, all acted on at their first try: the number of its first in the edge'),
  k: z.int().optional().describe('how many messages the run has'),
  d: z.number().describe('when it was delivered, ms'),
  t: z.int().describe('tries, the last one included'),
  x: z.object({ code: z.string(), reason: z.string() }).optional(),
  l: z.literal(true).optional().describe('a reply that nobody waited for any more'),
  r: z.string().optional().describe('the order by which a dead letter was handled once more'),
});
export type JournalLine = z.infer<typeof journalLine>;

/** Why one try at a message failed. `at` is ms since the epoch. */
export const failure = z.object({
  code: z.string(),
  reason: z.string(),
  detail: z.unknown().optional(),
  at: z.number(),
});
export type Failure = z.infer<typeof failure>;

/** What an elder keeps in its state about tries at the message that stands at the head of an edge. */
export const attemptRow = z.object({ entryId: z.string(), tries: z.int(), errors: z.array(failure) });
export type AttemptRow = z.infer<typeof attemptRow>;

/** What an elder keeps in its state of a message that was given up. `at` is ms since the epoch. */
export const deadLetter = z.object({
  edge: z.string(),
  entryId: z.string(),
  body: z.string(),
  tries: z.int(),
  errors: z.array(failure),
  at: z.number(),
  replays: z.int().describe('how often a person had it handled once more, in vain'),
});
export type DeadLetter = z.infer<typeof deadLetter>;

/** A dead letter as people see it. `at` is when it was given up, ms since the epoch. */
export const deadLetterView = z.object({
  /** Of its message; of an unreadable one, `edge@entry`. */
  id: z.string(),
  /** Who gave it up and keeps it. */
  elder: z.string(),
  source: z.string(),
  lane: z.string(),
  action: z.string().nullable(),
  correlationId: z.string().nullable(),
  at: z.number(),
  tries: z.int(),
  replays: z.int(),
  errors: z.array(failure),
  /** The message as it stood in the edge. */
  body: z.string(),
});
export type DeadLetterView = z.infer<typeof deadLetterView>;

/** A message with what it carries and why tries at it failed: all of them while it is dead or still tried. */
export const shownMessage = tracedMessage.extend({
  /** Who had the sender send it, the first first. */
  onBehalfOf: z.array(z.string()),
  payload: z.record(z.string(), z.json()),
  errors: z.array(failure),
});
export type ShownMessage = z.infer<typeof shownMessage>;
