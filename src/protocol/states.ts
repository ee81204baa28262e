export const treeStates = ['starting', 'ready', 'degraded', 'stopping', 'stopped'] as const;
export type TreeState = (typeof treeStates)[number];

export const elderStates = [
  'starting',
  'ready',
  'unready',
  'backoff',
  'failed',
  'draining',
  'stopped',
] as const;

export const directiveStates = [
  'submitted',
  'waiting_approval',
  'accepted',
  'rejected',
  'planned',
  'executing',
  'completed',
  'failed',
  'cancelled',
] as const;
export type DirectiveState = (typeof directiveStates)[number];

export const taskStates = [
  'waiting',
  'ready',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'skipped',
] as const;
export type TaskState = (typeof taskStates)[number];

/** What a person may want done to a task. */
export const taskOperations = ['pause', 'resume', 'retry', 'cancel'] as const;
export type TaskOperation = (typeof taskOperations)[number];

/** How one attempt at a task ended; `lost` means that its servant died, which the user's `retries` do not pay for. */
export const attemptOutcomes = ['succeeded', 'failed', 'timed_out', 'cancelled', 'lost', 'refused'] as const;
export type AttemptOutcome = (typeof attemptOutcomes)[number];

/** Tells whether a directive in this state will not change any more. */
export function isFinalDirective(state: DirectiveState): boolean {
  return state === 'rejected' || state === 'completed' || state === 'failed' || state === 'cancelled';
}

/** Tells whether a task in this state will not change any more. */
export function isFinalTask(state: TaskState): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled' || state === 'skipped';
}
