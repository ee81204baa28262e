import type { ElderSpec } from '../../protocol/roster.ts';
import type { CrashHistory } from '../restarts/crash-memory.ts';
import { type Branch, branchAbove, branchOf, type Family, groupsAfter, groupsWithin } from './branch-tree.ts';

interface BranchSupervisorOptions {
  /** Asked anew each time. */
  readonly family: () => Family;
  /** By name of the branch; what an earlier manager remembered. */
  readonly histories: ReadonlyMap<Branch, CrashHistory>;
  readonly now: () => number;
  /**
   * Stops these groups in the reverse order, waits until `after` is ready or has failed, and starts them anew in order.
   * Calls `onStart` before it starts the first.
   */
  readonly restart: (
    groups: readonly ElderSpec[][],
    after: string | null,
    onStart?: () => void,
  ) => Promise<void>;
  /** Told what a branch has been through, so that a later manager knows. */
  readonly onHistory: (branch: Branch, history: CrashHistory) => void;
  /** Told that a branch is restarted, or given up when `restarted` is false. */
  readonly onEscalation: (escalation: Escalation) => void;
}

/** What was made of an elder that was given up. */
export interface Escalation {
  readonly branch: Branch;
  /** The elder that was given up. */
  readonly cause: string;
  /** False: nothing above it could be restarted any more; the elder stays failed and the others go on. */
  readonly restarted: boolean;
  /** Why the restart that was begun failed. */
  readonly error?: unknown;
}

/**
 * Keeps the elders of each branch alive together, as the supervisors of OTP do: `rest_for_one` restarts with
 * an elder those that start after it, and an elder that was given up has its whole branch restarted. When
 * a branch was restarted too often, the branch above it is. Unlike in OTP the count of a branch outlives
 * the restart of the one above, so that one fault cannot multiply, and the top of the tree never ends it.
 */
export class BranchSupervisor {
  readonly #options: BranchSupervisorOptions;
  readonly #restarts = new Map<Branch, number[]>();
  /** The elders whose followers are to be restarted, and of which none has been started yet. */
  readonly #waiting = new Set<string>();

  constructor(options: BranchSupervisorOptions) {
    this.#options = options;
    for (const [branch, { crashes }] of options.histories) this.#restarts.set(branch, [...crashes]);
  }

  /** Told that an elder has crashed and is restarted. */
  crashed(spec: ElderSpec): void {
    const family = this.#options.family();
    if (family.config.supervision.branches[branchOf(spec)].strategy !== 'rest_for_one') return;
    if (this.#waiting.has(spec.name)) return;
    const groups = groupsAfter(family, spec);
    if (groups.length === 0) return;
    this.#waiting.add(spec.name);
    // Those that start from here on must be restarted again by a crash that comes after.
    const begun = () => this.#waiting.delete(spec.name);
    this.#options
      .restart(groups, spec.name, begun)
      .finally(begun)
      .catch((error: unknown) => this.#failed(spec, branchOf(spec), error));
  }

  /** Told that an elder was given up. */
  givenUp(spec: ElderSpec): void {
    const { family, onEscalation, restart } = this.#options;
    for (let branch: Branch | null = branchOf(spec); branch !== null; branch = branchAbove(branch)) {
      if (family().config.supervision.branches[branch].escalation === 'hold') break;
      if (!this.#mayRestart(branch)) continue;
      onEscalation({ branch, cause: spec.name, restarted: true });
      const failed = (error: unknown) => this.#failed(spec, branch, error);
      restart(groupsWithin(family(), branch), null).catch(failed);
      return;
    }
    onEscalation({ branch: branchOf(spec), cause: spec.name, restarted: false });
  }

  #failed({ name }: ElderSpec, branch: Branch, error: unknown): void {
    this.#options.onEscalation({ branch, cause: name, restarted: false, error });
  }

  #mayRestart(branch: Branch): boolean {
    const { family, now, onHistory } = this.#options;
    const { intensity, period } = family().config.supervision.branches[branch];
    const at = now();
    const recent = (this.#restarts.get(branch) ?? []).filter((time) => time > at - period && time <= at);
    if (recent.length >= intensity) return false;
    recent.push(at);
    this.#restarts.set(branch, recent);
    onHistory(branch, { restarts: recent.length, crashes: recent });
    return true;
  }
}
