/** Time as this layer and those above know it, so that a simulation can run its own. */
export interface Clock {
  /** Ms since the epoch. */
  now(): number;
  /** Runs `fire` once after `ms`; the returned function cancels it and may be called at any time. */
  setTimer(ms: number, fire: () => void): () => void;
  /** Resolves once what has arrived at this process meanwhile was taken in; absent where nothing arrives by itself. */
  turn?(): Promise<void>;
}

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(ms, fire) {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
  turn: () => new Promise((resolve) => void setImmediate(resolve)),
};
