import { z } from 'zod';
import type { TestResult } from './test-report.ts';

const ownLine = z.object({
  test: z.string(),
  outcome: z.enum(['passed', 'failed', 'skipped']),
  message: z.string().default(''),
});

/** A line of `go test -json`, of which only the last word about a test counts. */
const goLine = z.object({
  Action: z.enum([
    'pass',
    'fail',
    'skip',
    'output',
    'run',
    'start',
    'pause',
    'cont',
    'bench',
    'build-output',
    'build-fail',
  ]),
  Test: z.string().optional(),
  Package: z.string().default(''),
  Output: z.string().default(''),
});

const goOutcomes = { pass: 'passed', fail: 'failed', skip: 'skipped' } as const;
const keptOutput = 2_000;

/**
 * Reads a test report of JSON lines: `{"test": NAME, "outcome": "passed" | "failed" | "skipped", "message": TEXT}`, or
 * what `go test -json` writes. Throws `SyntaxError` for a line that is neither.
 */
export function readTestLines(text: string, take: (result: TestResult) => void): void {
  const printed = new Map<string, string>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const value = parse(line, index);
    const own = ownLine.safeParse(value);
    if (own.success) {
      const { test: name, outcome, message } = own.data;
      take({ name, outcome, message });
      continue;
    }
    const go = goLine.safeParse(value);
    if (!go.success) throw new SyntaxError(`line ${index + 1} is no result of a test`);
    const { Action: action, Test: test, Package: group, Output: output } = go.data;
    if (test === undefined) continue;
    const name = group ? `${group} › ${test}` : test;
    if (action === 'output') printed.set(name, `${printed.get(name) ?? ''}${output}`.slice(-keptOutput));
    if (!(action in goOutcomes)) continue;
    const outcome = goOutcomes[action as keyof typeof goOutcomes];
    take({ name, outcome, message: outcome === 'failed' ? (printed.get(name) ?? '').trim() : '' });
    printed.delete(name);
  }
}

function parse(line: string, index: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new SyntaxError(`line ${index + 1} is not JSON`);
  }
}
