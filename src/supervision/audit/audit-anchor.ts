import type { RedisCommands } from '../../messaging/redis/redis-commands.ts';
import { decodeHash } from '../../messaging/redis/replies.ts';
import { type AuditHead, auditHead } from '../../protocol/audit.ts';
import type { TreeKeys } from '../../protocol/keys.ts';

/** Reads which record Redis knows as the last of the audit log; `null` if none. Throws as the connection does. */
export async function readAuditAnchor(redis: RedisCommands, keys: TreeKeys): Promise<AuditHead | null> {
  const fields = decodeHash(await redis.command(['HGETALL', keys.auditHead]));
  const head = auditHead.safeParse({ seq: Number(fields.get('seq')), hash: fields.get('hash') });
  return head.success ? head.data : null;
}

/** Keeps the head of the audit log in Redis, where whoever changes the files cannot reach it. One write is under way at a time. */
export class AuditAnchor {
  readonly #redis: RedisCommands;
  readonly #keys: TreeKeys;
  readonly #onError: (error: unknown) => void;
  #wanted: AuditHead | null = null;
  #writing: Promise<void> | null = null;

  constructor(redis: RedisCommands, keys: TreeKeys, onError: (error: unknown) => void) {
    this.#redis = redis;
    this.#keys = keys;
    this.#onError = onError;
  }

  /** Has this head written; of several in a row the last is. What Redis does not take is written with the next. */
  set(head: AuditHead): void {
    this.#wanted = head;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
    });
  }

  /** Resolves when no write is under way. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#wanted) {
      const { seq, hash } = this.#wanted;
      try {
        await this.#redis.command(['HSET', this.#keys.auditHead, 'seq', String(seq), 'hash', hash]);
      } catch (error) {
        this.#onError(error);
        return;
      }
      if (this.#wanted.seq === seq) this.#wanted = null;
    }
  }
}
