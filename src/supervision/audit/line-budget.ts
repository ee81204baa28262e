import type { AuditEntry } from '../../protocol/audit.ts';
import { roleOf } from '../../protocol/roster.ts';
import { compareEntries } from './entry-order.ts';

interface LineBudgetOptions {
  /** Lines that a source may have at once. */
  readonly burst: number;
  /** Lines per second that it gets back. */
  readonly perSecond: number;
  /** Ms. */
  readonly now: () => number;
}

interface Account {
  lines: number;
  at: number;
}

/**
 * Bounds how many lines each source has in the audit log, so that a process that is turned cannot fill the disk: what is
 * beyond its budget is counted in one line, and nothing is left uncounted.
 */
export class LineBudget {
  readonly #options: LineBudgetOptions;
  readonly #accounts = new Map<string, Account>();

  constructor(options: LineBudgetOptions) {
    this.#options = options;
  }

  /** Gives what is to be recorded of the entries of one reading; each source's own stay in their order. */
  apply(entries: readonly AuditEntry[]): AuditEntry[] {
    const kept: AuditEntry[] = [];
    const beyond = new Map<string, AuditEntry>();
    for (const entry of entries) {
      const source = entry.from?.edge ?? entry.by;
      // What is approved or halted is rare, and each of it counts.
      if (entry.kind !== 'denial' || this.#take(source)) kept.push(entry);
      else {
        const key = `${source} ${whomOf(entry)}`;
        beyond.set(key, merge(beyond.get(key), entry));
      }
    }
    // The last message of a source comes last: by it the log knows how far the reading has come.
    return [...kept, ...[...beyond.values()].sort(inOrder)];
  }

  #take(source: string): boolean {
    const { burst, perSecond, now } = this.#options;
    const account = this.#accounts.get(source) ?? { lines: burst, at: now() };
    const regained = ((now() - account.at) / 1_000) * perSecond;
    const lines = Math.min(burst, account.lines + regained);
    this.#accounts.set(source, { lines: lines >= 1 ? lines - 1 : lines, at: now() });
    return lines >= 1;
  }
}

function inOrder(one: AuditEntry, other: AuditEntry): number {
  return one.from && other.from ? compareEntries(one.from.entry, other.from.entry) : 0;
}

/** Whom it is about, if that is somebody of the tree: of claimed names there is no end. */
function whomOf({ subject }: AuditEntry): string | null {
  return subject && roleOf(subject) ? subject : null;
}

function merge(before: AuditEntry | undefined, entry: AuditEntry): AuditEntry {
  const { by, at, from } = entry;
  return {
    kind: 'denial',
    event: 'more',
    by,
    subject: whomOf(entry),
    reason: 'further denials, too many to be listed one by one',
    count: (before?.count ?? 0) + (entry.count ?? 1),
    ...(at !== undefined && { at: before?.at ?? at, lastAt: entry.lastAt ?? at }),
    ...(from && { from }),
  };
}
