import type { TestSummary } from '../../protocol/directive.ts';
import { oneLine } from '../text/printable.ts';

/** Tests that are named. */
const namedTests = 10;
const longestMessage = 200;

/** Counts the tests of a report: `12 passed, 1 failed`. */
export function testCountsText({ passed, failed, skipped }: TestSummary): string {
  const counts = Object.entries({ passed, failed, skipped }).filter(([, count]) => count > 0);
  return counts.map(([how, count]) => `${count} ${how}`).join(', ') || '-';
}

/** Names the tests that failed, one a line, and what was wrong with the reports. */
export function failedTestsText({ failures, failed, problems }: TestSummary): string[] {
  const named = failures.slice(0, namedTests).map(({ name, message }) => {
    const why = oneLine(message).slice(0, longestMessage);
    return `✗ ${oneLine(name)}${why === '' ? '' : `: ${why}`}`;
  });
  const more = failed > named.length ? [`… (+${failed - named.length})`] : [];
  return [...named, ...more, ...problems.map((problem) => `! ${oneLine(problem)}`)];
}
