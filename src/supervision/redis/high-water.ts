/** How far a principal had come in Redis: both numbers only grow unless Redis loses data. */
export interface Mark {
  readonly incarnation: number;
  readonly commits: number;
}

/** A principal of which Redis holds less than it did. */
export interface Loss {
  readonly name: string;
  readonly reason: string;
}

/** The highest that was seen in Redis, by principal. */
export class HighWater {
  readonly #marks = new Map<string, Mark>();
  readonly #begun = new Map<string, number>();

  /** Notes an incarnation that was begun, so that its loss shows even before the next look; known ones change nothing. */
  begun(name: string, incarnation: number): void {
    if (incarnation <= (this.#begun.get(name) ?? 0)) return;
    this.#begun.set(name, incarnation);
    const { commits = 0 } = this.#marks.get(name) ?? {};
    this.#marks.set(name, { incarnation, commits });
  }

  /** Takes what is there now as the new marks and lists who has less than before. */
  advance(present: Iterable<readonly [string, Mark]>): Loss[] {
    const losses: Loss[] = [];
    for (const [name, now] of present) {
      const before = this.#marks.get(name);
      this.#marks.set(name, now);
      if (before === undefined) continue;
      if (now.commits < before.commits) {
        losses.push({ name, reason: `${name} was at commit ${before.commits}, Redis is at ${now.commits}` });
      } else if (now.incarnation < before.incarnation) {
        const reason = `${name} was at incarnation ${before.incarnation}, Redis is at ${now.incarnation}`;
        losses.push({ name, reason });
      }
    }
    return losses;
  }
}
