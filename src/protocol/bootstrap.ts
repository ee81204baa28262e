import { z } from 'zod';
import type { Config } from './config.ts';
import type { WireError } from './errors.ts';

/** Where Redis is and whom to trust there. PEM texts, not paths. */
export const redisEndpoint = z.object({
  host: z.string(),
  port: z.int(),
  /** Where it is not the tree's own authority, which is found with the certificate (a Redis of the user's). */
  ca: z.string().optional(),
  /** Client certificate and key, where they are not the process's own (a Redis of the user's). */
  cert: z.string().optional(),
  key: z.string().optional(),
});
export type RedisEndpoint = z.infer<typeof redisEndpoint>;

/** The Redis user of one incarnation of one principal. */
export const redisCredential = z.object({
  incarnation: z.int().min(1),
  username: z.string(),
  password: z.string(),
});
export type RedisCredential = z.infer<typeof redisCredential>;

/** To a child before its order: a nonce to prove the possession of its key with, and in whose name; a spare's until it has another. */
export interface Challenge {
  readonly kind: 'challenge';
  readonly tree: string;
  readonly name: string;
  readonly incarnation: number;
  readonly nonce: string;
}

/** First line from a child, before it loads its program. */
export interface KeyMade {
  readonly kind: 'key_made';
  /** The key that it made (SPKI, base64); that it has the private half is proved later. */
  readonly publicKey: string;
}

/** Line of a child that has loaded its program and can follow its orders at once, whether it has them or not. */
export interface Loaded {
  readonly kind: 'loaded';
}

/** Answer of the child: its public key (SPKI, base64) and a signature over the nonce and its name (base64). */
export interface KeyProof {
  readonly kind: 'key';
  readonly publicKey: string;
  readonly signature: string;
}

/** To a child: who it is, and all that it needs to get ready; it can do nothing in Redis yet. */
export interface StartOrder {
  readonly kind: 'start';
  readonly tree: string;
  readonly name: string;
  readonly incarnation: number;
  /** Its pid as the host sees it; within a boundary it sees another. */
  readonly pid: number;
  readonly certificate: string;
  /** PEM of the roots that are trusted; two while the authority is being replaced. */
  readonly ca: string;
  /** Serial numbers of the certificates that were taken back. */
  readonly revoked: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly project: string;
  readonly config: Config;
  readonly redis: RedisEndpoint;
  /** Folders that it could have come to need under another name, and gives up now. */
  readonly relinquish: readonly string[];
  /** By principal: the elder itself and, in the grand elder's process, `gateway`. */
  readonly incarnations: Readonly<Record<string, number>>;
}

/**
 * To a child behind its order, once its predecessor can write no more: its Redis users by principal. Its passwords travel here and
 * nowhere else.
 */
export interface RedisLogins {
  readonly kind: 'credentials';
  readonly credentials: Readonly<Record<string, RedisCredential>>;
}

/** A question to a child that has its orders: whether its event loop turns and it can serve. */
export interface Probe {
  readonly kind: 'probe';
  readonly n: number;
  /** Whether no process of the tree has been replaced lately: the time for what can wait. */
  readonly calm: boolean;
}

/** What a child tells its manager about itself, as often as it changes, and whenever it is asked. */
export type ChildReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'unready'; readonly reason: string }
  /** Redis lacks what it had acknowledged; the process goes on. */
  | { readonly kind: 'data_lost'; readonly reason: string }
  | { readonly kind: 'failed'; readonly error: WireError }
  /** Answer to the probe of that number; `reason` is why it cannot serve, `null` when it can. */
  | { readonly kind: 'alive'; readonly n: number; readonly reason: string | null };

export type ToChild = Challenge | StartOrder | RedisLogins | Probe;
export type FromChild = KeyMade | Loaded | KeyProof | ChildReport;
