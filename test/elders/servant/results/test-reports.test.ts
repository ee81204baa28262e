import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { readJUnit } from '../../../../src/elders/servant/results/junit.ts';
import { readTestLines } from '../../../../src/elders/servant/results/test-lines.ts';
import { type TestResult, TestTally } from '../../../../src/elders/servant/results/test-report.ts';

function collect(read: (text: string, take: (result: TestResult) => void) => void, text: string) {
  const results: TestResult[] = [];
  read(text, (result) => results.push(result));
  return results;
}

suite('JUnit XML', () => {
  test('as pytest, Maven and node write it', () => {
    const xml = `<?xml version="1.0"?>
      <testsuites><testsuite name="outer">
        <testcase classname="math.Sum" name="adds &amp; carries" time="0.1"/>
        <testcase classname="math.Sum" name="subtracts"><failure message="expected 1 &lt; 2" type="A">at line 3</failure></testcase>
        <testsuite name="inner"><testcase name="divides"><error><![CDATA[  <by zero>  ]]></error></testcase>
        <testcase name="later"><skipped/></testcase></testsuite>
      </testsuite></testsuites>`;
    assert.deepEqual(collect(readJUnit, xml), [
      { name: 'math.Sum › adds & carries', outcome: 'passed', message: '' },
      { name: 'math.Sum › subtracts', outcome: 'failed', message: 'expected 1 < 2' },
      { name: 'inner › divides', outcome: 'failed', message: '<by zero>' },
      { name: 'inner › later', outcome: 'skipped', message: '' },
    ]);
  });

  test('that is cut off or no XML is refused, and entities of its own are not expanded', () => {
    assert.throws(() => collect(readJUnit, '<testsuite><testcase name="a"/>'));
    assert.throws(() => collect(readJUnit, 'no tests'));
    const bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><testsuite><testcase name="&a;"/></testsuite>';
    assert.throws(() => collect(readJUnit, bomb), /entity/i);
  });
});

suite('JSON lines', () => {
  test('of our own form', () => {
    const text = '{"test":"a","outcome":"passed"}\n\n{"test":"b","outcome":"failed","message":"why"}\n';
    assert.deepEqual(collect(readTestLines, text), [
      { name: 'a', outcome: 'passed', message: '' },
      { name: 'b', outcome: 'failed', message: 'why' },
    ]);
  });

  test('of go test -json', () => {
    const lines = [
      { Action: 'start', Package: 'x/y' },
      { Action: 'run', Package: 'x/y', Test: 'TestA' },
      { Action: 'output', Package: 'x/y', Test: 'TestA', Output: '    a_test.go:3: bad\n' },
      { Action: 'fail', Package: 'x/y', Test: 'TestA', Elapsed: 0 },
      { Action: 'skip', Package: 'x/y', Test: 'TestB' },
      { Action: 'fail', Package: 'x/y' },
    ];
    const text = lines.map((line) => JSON.stringify(line)).join('\n');
    assert.deepEqual(collect(readTestLines, text), [
      { name: 'x/y › TestA', outcome: 'failed', message: 'a_test.go:3: bad' },
      { name: 'x/y › TestB', outcome: 'skipped', message: '' },
    ]);
  });

  test('that are something else are refused with the line', () => {
    assert.throws(() => collect(readTestLines, '{"test":"a","outcome":"passed"}\nok'), /line 2 is not JSON/);
    assert.throws(() => collect(readTestLines, '{"name":"a"}'), /line 1 is no result/);
  });
});

test('a tally counts all and keeps the first failures, cut to size', () => {
  const tally = new TestTally();
  for (let index = 0; index < 60; index += 1)
    tally.add({ name: `t${index}`, outcome: 'failed', message: 'x'.repeat(5_000) });
  tally.add({ name: 'good', outcome: 'passed', message: '' });
  const { passed, failed, failures, problems } = tally.summary(['p'.repeat(400)]);
  assert.deepEqual([passed, failed, failures.length], [1, 60, 50]);
  assert.equal(failures[0]?.message.length, 1_000);
  assert.equal(problems[0]?.length, 300);
});
