/** What there is of one pool of servants, and what waits for it. Times are ms since the epoch. */
export interface PoolSight {
  /** Servants that are given tasks. */
  readonly count: number;
  /** Of those, how many have a task. */
  readonly busy: number;
  /** Of those, how many could take a task now, or will soon because they are being started. */
  readonly free: number;
  /** Tasks that wait for nothing but a servant. */
  readonly ready: number;
  /** Since when the one that is next waits; `null` when none does. */
  readonly since: number | null;
}

/** By what the automatic decides; times in ms. */
export interface ScalePolicy {
  readonly min: number;
  readonly max: number;
  /** Ready tasks for each servant beyond which there are too few. */
  readonly backlog: number;
  /** How long a ready task may wait. */
  readonly wait: number;
  readonly growCoolDown: number;
  readonly shrinkCoolDown: number;
}

/** What the automatic keeps in mind from one look to the next. */
export interface ScaleMemory {
  readonly grownAt: number | null;
  /** Since when no task has waited and a servant was idle. */
  readonly calmSince: number | null;
  /** The most servants that were busy at once since then. */
  readonly peak: number;
}

export const noMemory: ScaleMemory = { grownAt: null, calmSince: null, peak: 0 };

/** How many servants there are to be, and why where that is another number. */
export interface ScaleDecision {
  readonly count: number;
  readonly reason: string | null;
  readonly memory: ScaleMemory;
}

/**
 * Decides how many servants a pool is to have: more while tasks wait longer or more of them than they may and nobody is
 * free, at most twice as many at a time; fewer when for a whole cool-down nothing waited and some were idle, down
 * to the most that were busy at once meanwhile.
 */
export function decideCount(
  now: number,
  sight: PoolSight,
  policy: ScalePolicy,
  memory: ScaleMemory,
): ScaleDecision {
  const { count, busy, ready } = sight;
  const { min, max } = policy;
  const within = Math.min(max, Math.max(min, count));
  if (within !== count) return { count: within, reason: `${min} to ${max} are allowed`, memory: noMemory };
  if (ready > 0 || busy === count) return grow(now, sight, policy, memory);
  const calmSince = memory.calmSince ?? now;
  const peak = memory.calmSince === null ? busy : Math.max(memory.peak, busy);
  const wanted = Math.max(min, peak);
  if (wanted >= count || now - calmSince < policy.shrinkCoolDown) {
    return { count, reason: null, memory: { ...memory, calmSince, peak } };
  }
  const span = Math.round((now - calmSince) / 1_000);
  const reason = `for ${span} s no task waited and at most ${peak} servants had one`;
  // What comes next is seen with fresh eyes.
  return { count: wanted, reason, memory: { ...memory, calmSince: null, peak: 0 } };
}

function grow(now: number, sight: PoolSight, policy: ScalePolicy, memory: ScaleMemory): ScaleDecision {
  const { count, free, ready, since } = sight;
  const { max, backlog, wait, growCoolDown } = policy;
  const restless = { ...memory, calmSince: null, peak: 0 };
  const stay = { count, reason: null, memory: restless };
  if (ready === 0 || free > 0 || count >= max) return stay;
  if (memory.grownAt !== null && now - memory.grownAt < growCoolDown) return stay;
  const waited = since === null ? 0 : now - since;
  const tooMany = ready > backlog * count;
  if (!tooMany && waited < wait) return stay;
  const missing = Math.ceil(ready / backlog) - count;
  const added = Math.max(1, Math.min(missing, count));
  const reason = tooMany
    ? `${ready} tasks wait for ${count} servants`
    : `a task has waited ${Math.round(waited / 1_000)} s`;
  return { count: Math.min(max, count + added), reason, memory: { ...restless, grownAt: now } };
}
