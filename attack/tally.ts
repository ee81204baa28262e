/** Attempts of one part of the attack. */
interface Part {
  attempts: number;
  denied: number;
}

/** What came of one attempt. */
interface Result {
  readonly part: string;
  /** What was tried, for people. */
  readonly what: string;
  readonly allowed: boolean;
  /** Under which name the audit log counts a denial; `subject` and `object` as it has them. */
  readonly audit: string;
}

const shown = 20;

/** Counts attempts, what was denied, what got through, and what must be found in the audit log for it. */
export class Tally {
  readonly parts = new Map<string, Part>();
  /** What was allowed and must not be; the first few, and how many. */
  readonly breaches: string[] = [];
  breachCount = 0;
  /** Positive controls: what must be allowed. */
  controls = 0;
  readonly failedControls: string[] = [];
  /** Denials that the audit log must hold, by the name under which it counts them. */
  readonly expected = new Map<string, number>();

  get attempts(): number {
    return [...this.parts.values()].reduce((sum, { attempts }) => sum + attempts, 0);
  }

  get denied(): number {
    return [...this.parts.values()].reduce((sum, { denied }) => sum + denied, 0);
  }

  /** Notes an attempt at something that must be denied. */
  attempt({ part, what, allowed, audit }: Result): void {
    const counts = this.parts.get(part) ?? { attempts: 0, denied: 0 };
    this.parts.set(part, counts);
    counts.attempts += 1;
    if (!allowed) {
      counts.denied += 1;
      this.expected.set(audit, (this.expected.get(audit) ?? 0) + 1);
      return;
    }
    this.breachCount += 1;
    if (this.breaches.length < shown) this.breaches.push(`${part}: ${what}`);
  }

  /** Notes a try at something that must be allowed. */
  control(what: string, allowed: boolean): void {
    this.controls += 1;
    if (!allowed) this.failedControls.push(what);
  }
}
