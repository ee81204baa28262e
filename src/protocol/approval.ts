import { z } from 'zod';

/** How much can go wrong, the least first. */
export const risks = ['low', 'medium', 'high'] as const;
export type Risk = (typeof risks)[number];

export const approvalStates = ['waiting', 'approved', 'denied', 'expired', 'withdrawn'] as const;
export type ApprovalState = (typeof approvalStates)[number];

/** An action that waits, or waited, for the human. Times are ms since the epoch. */
export const approvalRecord = z.object({
  id: z.string(),
  state: z.enum(approvalStates),
  directiveId: z.string(),
  title: z.string(),
  action: z.string().describe('What is carried out once it is approved.'),
  digest: z.string().describe('SHA-256 of the action and its whole payload in canonical JSON, in hex.'),
  risk: z.enum(risks),
  reasons: z.array(z.string()).describe('Why the risk is above the limit.'),
  askedAt: z.number(),
  expiresAt: z.number(),
  decidedAt: z.number().nullable(),
  decidedBy: z.string().nullable(),
  reason: z.string().nullable().describe('What the human said.'),
});
export type ApprovalRecord = z.infer<typeof approvalRecord>;
