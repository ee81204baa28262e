import { createHash, randomBytes } from 'node:crypto';
import type { RedisCredential } from '../protocol/bootstrap.ts';
import { spiffeUri } from './spiffe.ts';

/** A Redis user as it is made: the credential goes to the process, the hash to Redis. */
export interface NewRedisUser {
  readonly credential: RedisCredential;
  /** SHA-256 of the password in lower-case hex, as `ACL SETUSER … #<hash>` takes it. */
  readonly passwordHash: string;
}

/**
 * Names the Redis user of one incarnation of a principal. Trees that share a Redis, and incarnations of the
 * same principal, never share a user. Throws `denied` for a malformed tree or name.
 */
export function redisUsername(tree: string, name: string, incarnation: number): string {
  spiffeUri(tree, name);
  return `${tree}.${name}.${incarnation}`;
}

/** Makes name and random password of the Redis user for a new incarnation. Throws `denied` for a malformed tree or name. */
export function createRedisUser(tree: string, name: string, incarnation: number): NewRedisUser {
  const username = redisUsername(tree, name, incarnation);
  const password = randomBytes(32).toString('base64url');
  return {
    credential: { incarnation, username, password },
    passwordHash: createHash('sha256').update(password).digest('hex'),
  };
}
