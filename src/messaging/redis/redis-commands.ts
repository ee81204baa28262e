/** Something that carries commands to Redis: RESP2 replies, strings as UTF-8. */
export interface RedisCommands {
  /**
   * Sends one command and gives its reply. Rejects with an `ElderError`: `redis_unreachable`, `fenced`,
   * `redis_refused`.
   */
  command(args: readonly string[], options?: { timeoutMs?: number }): Promise<unknown>;
}
