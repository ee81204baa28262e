import { z } from 'zod';

/**
 * What became of a certificate: `current` is what its holder shows; a `superseded` one was replaced by a newer one
 * of the same process and is accepted to its end; a `revoked` one is refused by everybody.
 */
export const certificateStates = ['current', 'superseded', 'revoked', 'expired'] as const;

/** One certificate that the authority of the tree has issued. Times are ms since the epoch. */
export const certificateRow = z.object({
  name: z.string(),
  /** Hexadecimal, upper case. */
  serial: z.string(),
  subjectAltName: z.string(),
  /** Of the process that holds it; `null` for the manager and Redis. */
  incarnation: z.int().nullable(),
  issuedAt: z.number(),
  expiresAt: z.number(),
  state: z.enum(certificateStates),
  revokedAt: z.number().nullable(),
  /** Why it was revoked. */
  reason: z.string().nullable(),
});
export type CertificateRow = z.infer<typeof certificateRow>;

/** `elders cert list --json`. */
export const certificateList = z.object({
  /** SHA-256 of the root certificate that signs, in hex. */
  root: z.string(),
  /** How far the replacement of the root has come; `introduced`: the old one still signs, `switched`: it is only trusted still. */
  rotation: z.enum(['none', 'introduced', 'switched']),
  certificates: z.array(certificateRow),
});
export type CertificateList = z.infer<typeof certificateList>;

export const certificateRotationRequest = z.union([
  z.strictObject({ what: z.enum(['all', 'authority']) }),
  z.strictObject({ what: z.literal('one'), name: z.string().max(64) }),
]);
export type CertificateRotationRequest = z.infer<typeof certificateRotationRequest>;

/** `elders cert rotate --json`. */
export const certificateRotation = z.object({
  /** Who has a new certificate. */
  renewed: z.array(z.string()),
  /** Root that signs now; SHA-256, hex. */
  root: z.string(),
});
export type CertificateRotation = z.infer<typeof certificateRotation>;

export const certificateRevocationRequest = z.strictObject({
  name: z.string().max(64),
  restart: z.boolean().default(true),
});

/** `elders cert revoke --json`. */
export const certificateRevocation = z.object({
  name: z.string(),
  serials: z.array(z.string()),
  /** Ms until the Redis user was gone and every process in `refusedBy` had confirmed that it refuses the certificate. */
  tookMs: z.number(),
  refusedBy: z.array(z.string()),
  /** Processes that have not confirmed yet, such as one that hangs; they are told until they do. */
  pending: z.array(z.string()),
  /** Whether a successor with new credentials is started. */
  restarted: z.boolean(),
});
export type CertificateRevocation = z.infer<typeof certificateRevocation>;

/** `elders health NAME --json`. */
export const processHealth = z.object({
  name: z.string(),
  live: z.boolean(),
  ready: z.boolean(),
  /** Why it is not ready, where it is not. */
  reason: z.string().nullable(),
});
export type ProcessHealth = z.infer<typeof processHealth>;
