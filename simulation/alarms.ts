import type { LostCommit } from './durable-store.ts';

/** What the store lost though it had been acknowledged, and who noticed. */
export class Alarms {
  /** With the number of alarms there had been before. */
  readonly #lost: { readonly commit: LostCommit; readonly before: number }[] = [];
  readonly raised: { readonly name: string; readonly reason: string }[] = [];

  /** Notes commits that were lost. */
  lost(commits: readonly LostCommit[]): void {
    const before = this.raised.length;
    for (const commit of commits) this.#lost.push({ commit, before });
  }

  /** Notes that a loss of this principal's was noticed. */
  raise(name: string, reason: string): void {
    this.raised.push({ name, reason });
  }

  get lostCommits(): number {
    return this.#lost.length;
  }

  /** Losses that nobody noticed. */
  missed(): string[] {
    return this.#lost
      .filter(({ commit, before }) => !this.raised.slice(before).some(({ name }) => name === commit.name))
      .map(({ commit }) => `lost without an alarm: commit ${commit.number} of ${commit.name}`);
  }
}
