import sax from 'sax';
import type { TestResult } from './test-report.ts';

interface OpenCase {
  readonly name: string;
  outcome: TestResult['outcome'];
  message: string;
  /** Whether text belongs to its message now. */
  within: boolean;
}

const longestText = 4_000;

/**
 * Reads a JUnit XML report, as most test runners write it: `testcase` elements in any depth of `testsuite`s, with
 * `failure`, `error` or `skipped` in them. Throws what is wrong with the XML; entities of a document's own are not expanded.
 */
export function readJUnit(xml: string, take: (result: TestResult) => void): void {
  const suites: string[] = [];
  let open: OpenCase | null = null;
  const parser = sax.parser(true, { trim: false });
  parser.onerror = (error) => {
    throw error;
  };
  parser.onopentag = ({ name, attributes }) => {
    const attribute = (key: string) => String(attributes[key] ?? '');
    if (name === 'testsuite') suites.push(attribute('name'));
    if (name === 'testcase') {
      const group = attribute('classname') || suites.at(-1) || '';
      const own = attribute('name');
      const full = group && !own.startsWith(group) ? `${group} › ${own}` : own;
      open = { name: full, outcome: 'passed', message: '', within: false };
    }
    if (!open) return;
    if (name === 'skipped') open.outcome = 'skipped';
    if (name === 'failure' || name === 'error') {
      open.outcome = 'failed';
      open.message ||= attribute('message');
      open.within = open.message === '';
    }
  };
  const text = (part: string) => {
    if (open?.within && open.message.length < longestText) open.message += part;
  };
  parser.ontext = text;
  parser.oncdata = text;
  parser.onclosetag = (name) => {
    if (name === 'testsuite') suites.pop();
    if (open && (name === 'failure' || name === 'error')) open.within = false;
    if (!open || name !== 'testcase') return;
    take({ name: open.name, outcome: open.outcome, message: open.message.trim() });
    open = null;
  };
  parser.write(xml).close();
}
