import { z } from 'zod';

/** What the audit log tells of; `audit` is about the log itself. */
export const auditKinds = [
  'denial',
  'approval',
  'emergency',
  'certificate',
  'configuration',
  'audit',
] as const;
export type AuditKind = (typeof auditKinds)[number];

const text = z.string().max(2_000);

/** Something that happened, as it is given to the audit log. Secrets never belong into it. */
export const auditEntry = z.object({
  kind: z.enum(auditKinds),
  event: z.string().min(1).max(64).describe('What happened, such as `refused` or `granted`.'),
  by: z.string().min(1).max(64).describe('Who saw or did it and says so: a principal, or `redis`.'),
  subject: text.nullable().default(null).describe('Whom it is about: who tried, asked or holds.'),
  object: text.nullable().default(null).describe('Toward whom or what.'),
  action: text.nullable().default(null).describe('The action or command.'),
  reason: text.nullable().default(null),
  at: z.number().optional().describe('When it happened, ms since the epoch; absent: when it is recorded.'),
  lastAt: z.number().optional().describe('When it happened for the last time, where `count` is above 1.'),
  count: z.int().min(1).default(1).describe('How often: equal denials within a moment are one line.'),
  detail: z.record(z.string(), z.json()).optional(),
  from: z
    .object({ edge: z.string(), entry: z.string() })
    .optional()
    .describe('The message that brought it, so that reading that twice records it once.'),
});
export type AuditEntry = z.input<typeof auditEntry>;

/** One line of the audit log. `hash` covers the bytes of the line before it, `prev` ties it to the line above. */
export const auditRecord = auditEntry.extend({
  seq: z.int().min(1),
  at: z.number(),
  prev: z.string().regex(/^[0-9a-f]{64}$/),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type AuditRecord = z.output<typeof auditRecord>;

/** The last record at some moment; kept apart from the log, it shows that the end of the log is missing. */
export const auditHead = z.object({ seq: z.int().min(0), hash: z.string() });
export type AuditHead = z.infer<typeof auditHead>;

/** The head of a log with nothing in it. */
export const emptyHead: AuditHead = { seq: 0, hash: '0'.repeat(64) };
