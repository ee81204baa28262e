import { z } from 'zod';
import { approvalRecord } from '../approval.ts';
import { auditEntry } from '../audit.ts';
import type { ActionSpec } from './action-spec.ts';
import { directiveId } from './ids.ts';

/** What an emergency is about: one directive, or with `null` all. */
const haltOrder = z.object({ directiveId: directiveId.nullable(), reason: z.string().min(1).max(500) });

/** Halts, approvals, the audit log, and which servants an emergency concerns. */
export const oversightActions = {
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
} as const satisfies Record<string, ActionSpec>;
