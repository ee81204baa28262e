/**
 * Calls `onExpired` once this much time has passed in which this process ran and `paused()` was false: time
 * during which it was suspended, or what it waits for cannot happen, does not count. Gives a function that
 * cancels it. All times in ms.
 */
export function runningTimeout(options: {
  readonly ms: number;
  readonly paused: () => boolean;
  readonly now: () => number;
  readonly onExpired: () => void;
}): () => void {
  const tick = Math.min(500, Math.max(1, options.ms / 4));
  let left = options.ms;
  let last = options.now();
  const timer = setInterval(() => {
    const now = options.now();
    const passed = now - last;
    last = now;
    if (!options.paused()) left -= Math.min(passed, 2 * tick);
    if (left > 0) return;
    clearInterval(timer);
    options.onExpired();
  }, tick);
  return () => clearInterval(timer);
}
