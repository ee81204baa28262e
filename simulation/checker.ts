import type { AuditEntry } from '../src/protocol/audit.ts';
import { checkAudit } from './check-audit.ts';
import { checkDirectives } from './check-directives.ts';
import { checkMessages } from './check-messages.ts';
import { checkTasks } from './check-tasks.ts';
import type { Execution } from './executions.ts';
import type { Climate } from './faults.ts';
import type { Request, Submission } from './human.ts';
import type { Poison } from './poison.ts';
import type { StoreView } from './store-view.ts';

/** All that a run left behind. */
export interface Evidence {
  readonly view: StoreView;
  readonly submissions: readonly Submission[];
  readonly executions: readonly Execution[];
  readonly climate: Climate;
  readonly poison: Poison;
  /** The lines of the audit log. */
  readonly audited: readonly AuditEntry[];
  /** What the human asked under each idempotency key. */
  readonly keys: ReadonlyMap<string, Request>;
}

/** Compares what a run left behind with what is guaranteed, and lists every difference. */
export function check(evidence: Evidence): string[] {
  return [
    ...checkMessages(evidence),
    ...checkDirectives(evidence),
    ...checkTasks(evidence),
    ...checkAudit(evidence),
  ];
}
