/** Whether Redis, without which no elder can start, is there. */
export interface RedisGate {
  readonly ready: boolean;
  /** Resolves once it is; rejects when the signal aborts. */
  whenReady(signal: AbortSignal): Promise<void>;
}
