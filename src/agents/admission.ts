import { ElderError } from '../protocol/errors.ts';
import type { Admission, FullEdges } from './full-edges.ts';
import type { Mark, Step } from './step.ts';

/** Decides whether the part of a step that has just run may stay; otherwise it is undone. */
export function admit(step: Step, mark: Mark, fullEdges: FullEdges, now: number): Admission {
  const edges = step.partEdges();
  if (edges.size === 0) return { kind: 'go' };
  const admission = fullEdges.admit(edges.keys(), step.used, now);
  if (admission.kind === 'go') step.keepPart(edges.keys());
  else step.withdraw(mark);
  return admission;
}

/** Says what is wrong with a part that will never find room, because one edge cannot hold all that it sends. */
export function excessOf(step: Step, edgeLimit = Infinity): ElderError | null {
  for (const [edge, count] of step.partEdges()) {
    if (count <= edgeLimit) continue;
    return new ElderError('too_large', `${count} messages at once to ${edge}, which holds ${edgeLimit}`);
  }
  return null;
}

/** Throws `too_large` for a part that will never find room. */
export function refuseExcess(step: Step, edgeLimit?: number): void {
  const excess = excessOf(step, edgeLimit);
  if (excess) throw excess;
}
