import type { TestSummary } from '../../../protocol/directive.ts';

/** How one test went. */
export interface TestResult {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly message: string;
}

const keptFailures = 50;
const longestName = 300;
const longestMessage = 1_000;

/** Adds results up; of the failures the first are kept with their names. */
export class TestTally {
  readonly #counts = { passed: 0, failed: 0, skipped: 0 };
  readonly #failures: { name: string; message: string }[] = [];

  add({ name, outcome, message }: TestResult): void {
    this.#counts[outcome] += 1;
    if (outcome !== 'failed' || this.#failures.length >= keptFailures) return;
    this.#failures.push({ name: name.slice(0, longestName), message: message.slice(0, longestMessage) });
  }

  summary(problems: readonly string[]): TestSummary {
    return {
      ...this.#counts,
      failures: this.#failures,
      problems: problems.slice(0, 10).map((problem) => problem.slice(0, 300)),
    };
  }
}
