import { glob, readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { TestSummary } from '../../../protocol/directive.ts';
import { readJUnit } from './junit.ts';
import { readTestLines } from './test-lines.ts';
import { TestTally } from './test-report.ts';

const maxFiles = 200;
const maxBytes = 20_000_000;

/** Reads one report into a tally. Throws what is wrong with it. */
async function readReport(path: string, tally: TestTally): Promise<void> {
  const { size } = await stat(path);
  if (size > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
  const text = await readFile(path, 'utf8');
  const results: Parameters<TestTally['add']>[0][] = [];
  const read = path.endsWith('.xml') ? readJUnit : readTestLines;
  read(text, (result) => results.push(result));
  for (const result of results) tally.add(result);
}

/**
 * Reads the test reports that a command left below its workspace. `since` (ms since the epoch) tells what it wrote
 * from what was there before. A pattern cannot leave the workspace, nor can a link. `undefined` if there are none.
 */
export async function collectReports(
  workspace: string,
  patterns: readonly string[],
  since: number,
): Promise<TestSummary | undefined> {
  if (patterns.length === 0) return undefined;
  const tally = new TestTally();
  const problems: string[] = [];
  const root = await realpath(workspace);
  let files = 0;
  for await (const name of glob([...patterns], { cwd: root })) {
    const path = await realpath(join(root, name)).catch(() => null);
    const found = path === null ? null : await stat(path).catch(() => null);
    if (path === null || !found?.isFile()) continue;
    if (!path.startsWith(`${root}${sep}`)) {
      problems.push(`${name}: it lies outside of the workspace`);
      continue;
    }
    // File systems round times, some to two seconds.
    if (found.mtimeMs < since - 2_000) continue;
    files += 1;
    if (files > maxFiles) {
      problems.push(`more than ${maxFiles} reports; the others were not read`);
      break;
    }
    await readReport(path, tally).catch((error: Error) =>
      problems.push(`${name}: ${error.message.split('\n')[0]}`),
    );
  }
  if (files === 0 && problems.length === 0) problems.push(`no report matches ${patterns.join(' ')}`);
  return tally.summary(problems);
}
