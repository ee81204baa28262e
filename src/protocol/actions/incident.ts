import { z } from 'zod';
import type { ActionSpec } from './action-spec.ts';
import { directiveId } from './ids.ts';

/** An incident as it is raised; equal fingerprints are one incident. */
export const incidentReport = z.object({
  fingerprint: z.string().min(1).max(256),
  title: z.string().min(1).max(300),
  severity: z.enum(['low', 'medium', 'high', 'critical']),
  detail: z.string().max(8_000),
  directiveId: directiveId.nullable(),
});

/** An incident as the incident sage keeps it. Times are ms since the epoch. */
export const incidentRecord = incidentReport.extend({
  id: z.string(),
  source: z.string(),
  count: z.int(),
  firstAt: z.number(),
  lastAt: z.number(),
});

/** Incidents: raised and listed. */
export const incidentActions = {
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
} as const satisfies Record<string, ActionSpec>;
