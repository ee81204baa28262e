import type { Context } from '../../agents/core.ts';
import type { Config } from '../../protocol/config.ts';
import { isReserved, labelsOf } from '../../protocol/servant-kinds.ts';
import { isHalted } from './halts.ts';
import { type ReadyRow, tables } from './rows.ts';

/** A task that may be handed out next. */
export interface Candidate {
  readonly id: string;
  readonly group: string;
  readonly row: ReadyRow;
  readonly running: number;
  readonly served: number;
}

/** The higher priority first; of equal ones that of the directive which has less running, then which waits longer. */
function isBetter(a: Candidate, b: Candidate): boolean {
  if (a.row.priority !== b.row.priority) return a.row.priority > b.row.priority;
  if (a.running !== b.running) return a.running < b.running;
  if (a.row.directiveId !== b.row.directiveId && a.served !== b.served) return a.served < b.served;
  const [deadline, other] = [a.row.deadlineAt ?? Infinity, b.row.deadlineAt ?? Infinity];
  return deadline === other ? a.row.order < b.row.order : deadline < other;
}

/** The tasks that a servant takes. */
export interface Likes {
  readonly labels: ReadonlySet<string>;
  /** Only those that ask for a label. */
  readonly reserved: boolean;
}

/** Gives what a servant takes, and a name that it shares with those who take the same. */
export function likesOf(config: Config, name: string): Likes & { readonly alike: string } {
  const likes = { labels: labelsOf(config, name), reserved: isReserved(config, name) };
  return { ...likes, alike: `${likes.reserved} ${[...likes.labels].join(' ')}` };
}

/** Finds the task that a servant should run next; looks at the first of each group only. */
export function choose(ctx: Context, { labels, reserved }: Likes): Candidate | undefined {
  const { ready, directives, locks } = tables(ctx);
  let best: Candidate | undefined;
  for (const group of ready.groups()) {
    const head = ready.first(group);
    const directive = head && directives.get(head.row.directiveId);
    if (!head || !directive || directive.paused !== undefined || isHalted(ctx, directive.id)) continue;
    if (!head.row.labels.every((label) => labels.has(label))) continue;
    if (reserved && head.row.labels.length === 0) continue;
    if (head.row.locks.some((lock) => locks.has(lock))) continue;
    const candidate = {
      ...head,
      group,
      running: directive.counts.running ?? 0,
      served: directive.served ?? 0,
    };
    if (!best || isBetter(candidate, best)) best = candidate;
  }
  return best;
}
