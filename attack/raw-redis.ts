import { connectionOptions, type RedisTls } from '../src/messaging/redis/redis-connection.ts';
import { RespClient } from '../src/messaging/redis/resp-client.ts';
import { ErrorReply } from '../src/messaging/redis/resp-parser.ts';
import type { RedisEndpoint } from '../src/protocol/bootstrap.ts';

/** Where a stolen credential is used. */
export interface Door {
  readonly tree: string;
  readonly endpoint: RedisEndpoint;
  readonly tls: RedisTls;
}

/** Answer to one command: what the server said, and whether that was the refusal of a right. */
export interface Answer {
  readonly reply: unknown;
  readonly error: string | null;
}

/** A bare connection to Redis that says what it is told to and checks nothing. */
export class RawRedis {
  readonly #client: RespClient;

  constructor(door: Door) {
    const { tls, ...rest } = door;
    this.#client = new RespClient(connectionOptions({ ...rest, tls: () => tls }), () => undefined);
  }

  /** Connects and logs in; rejects where it is refused. */
  static async login(door: Door, credential: { username: string; password: string }): Promise<RawRedis> {
    const redis = new RawRedis(door);
    try {
      // Nothing but this: each command that is denied is counted.
      await redis.#client.send(['AUTH', credential.username, credential.password]);
    } catch (error) {
      redis.close();
      throw error;
    }
    return redis;
  }

  async send(args: readonly string[]): Promise<Answer> {
    try {
      return { reply: await this.#client.send(args), error: null };
    } catch (error) {
      if (error instanceof ErrorReply) return { reply: null, error: error.message };
      throw error;
    }
  }

  close(): void {
    this.#client.destroy();
  }
}
