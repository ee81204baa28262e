import type { RedisTls } from '../../src/messaging/redis/redis-connection.ts';
import type { RedisEndpoint } from '../../src/protocol/bootstrap.ts';

/** Which of the two processes of a contestant this is. */
export type Side = 'sender' | 'receiver';

/** What a process of a contestant needs to reach the Redis of the benchmark. */
export interface EndpointConfig {
  readonly contestant: 'elders' | 'bare' | 'bullmq';
  readonly side: Side;
  readonly tree: string;
  /** Makes the receiver one that so many servants write to. */
  readonly servants?: number;
  readonly redis: RedisEndpoint;
  readonly tls: RedisTls;
  readonly credential: { readonly username: string; readonly password: string; readonly incarnation: number };
}

/** One process of a contestant. What a side cannot do throws. */
export interface Endpoint {
  /** Sends so many messages of `size` bytes as fast as it can; resolves once Redis has taken them durably. */
  send(order: { count: number; size: number }): Promise<void>;
  /** Sends at a rate, without waiting for answers, each message stamped with its time. */
  pace(order: { perSecond: number; forMs: number; size: number }): Promise<number>;
  /** Resolves once so many messages more than at the last call are acted on, and that is durable. */
  receive(order: { count: number }): Promise<void>;
  /** Gives the latencies (ms, from the stamp to the handler) since the last call. */
  takeLatencies(): Promise<number[]>;
  /** Asks so many questions of 512 bytes, one after another, `gapMs` apart; ms from each question to its answer. */
  ask(order: { times: number; gapMs: number }): Promise<number[]>;
  close(): Promise<void>;
}

const stampLength = 16;

/** Makes the body of a message: the time in µs of the clock that all processes share, then filling. */
export function stampedBody(size: number, stamped: boolean): string {
  const now = stamped ? Math.round(Number(process.hrtime.bigint() / 1_000n)) : 0;
  return String(now).padStart(stampLength, '0') + 'x'.repeat(Math.max(0, size - stampLength));
}

/** Collects how long stamped messages were under way. */
export class Latencies {
  #found: number[] = [];

  note(body: string): void {
    const sentAt = Number(body.slice(0, stampLength));
    if (sentAt > 0) this.#found.push((Number(process.hrtime.bigint() / 1_000n) - sentAt) / 1_000);
  }

  take(): number[] {
    return this.#found.splice(0);
  }
}

/** Counts what was acted on and lets somebody wait for a number of it. */
export class Tally {
  #count = 0;
  #wanted = 0;
  #reached: (() => void) | null = null;

  add(count: number): void {
    this.#count += count;
    if (this.#count < this.#wanted) return;
    this.#reached?.();
    this.#reached = null;
  }

  /** Resolves once `count` more than at the last call were counted. */
  async more(count: number): Promise<void> {
    this.#wanted += count;
    if (this.#count >= this.#wanted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#reached = resolve;
    await promise;
  }
}

const tickMs = 2;

/** Calls `send` with how many messages are due, every 2 ms, at an even rate; gives how many that were. */
export function atRate(
  { perSecond, forMs }: { perSecond: number; forMs: number },
  send: (count: number) => void,
): Promise<number> {
  const began = performance.now();
  let sent = 0;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const elapsed = Math.min(forMs, performance.now() - began);
      const due = Math.floor((elapsed * perSecond) / 1_000) - sent;
      sent += due;
      if (due > 0) send(due);
      if (elapsed < forMs) return;
      clearInterval(timer);
      resolve(sent);
    }, tickMs);
  });
}

/** Runs `ask` so many times with pauses and gives how long each took (ms). */
export async function inTurn(
  { times, gapMs }: { times: number; gapMs: number },
  ask: () => Promise<void>,
): Promise<number[]> {
  const took: number[] = [];
  for (let index = 0; index < times; index += 1) {
    const began = performance.now();
    await ask();
    took.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, gapMs));
  }
  return took;
}
