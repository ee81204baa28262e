import assert from 'node:assert/strict';
import { test } from 'node:test';
import { directiveSpec } from '../../src/protocol/directive.ts';
import { readDirective } from '../../src/protocol/directive-file.ts';
import { checkGraph } from '../../src/protocol/task-graph.ts';

function check(text: string, expected: readonly (readonly [number, number, string, string])[]): void {
  const read = readDirective(text);
  assert.equal(read.ok, false, 'a problem was expected');
  if (read.ok) return;
  const found = read.problems.map(({ line, column, code, message }) => [line, column, code, message]);
  assert.deepEqual(found, expected);
}

const head = 'directive: Check\ntasks:\n';

test('reads every key, and what is left out has its default', () => {
  const read = readDirective(`directive: Release check
goal: a clean checkout packs
workspace: sub
tasks:
  - id: types
    run: npx tsc --noEmit
  - id: 単体
    run: npm test
    needs: types
    retries: 2
    timeout: 10m
    priority: 8
    env: { CI: true, PORT: 80, RATIO: 0.5, NAME: "x" }
`);
  assert.ok(read.ok);
  assert.deepEqual(read.spec, {
    title: 'Release check',
    goal: 'a clean checkout packs',
    workspace: 'sub',
    tasks: [
      {
        id: 'types',
        run: 'npx tsc --noEmit',
        needs: [],
        retries: 0,
        timeoutMs: 3_600_000,
        priority: 5,
        env: {},
      },
      {
        id: '単体',
        run: 'npm test',
        needs: ['types'],
        retries: 2,
        timeoutMs: 600_000,
        priority: 8,
        env: { CI: 'true', PORT: '80', RATIO: '0.5', NAME: 'x' },
      },
    ],
  });
  assert.ok(directiveSpec.safeParse(read.spec).success);
  assert.deepEqual(read.at(['workspace'], 'key'), { line: 3, column: 1 });
});

test('the workspace is the working folder unless told', () => {
  const read = readDirective(`${head}  - { id: a, run: 'true' }\n`);
  assert.ok(read.ok);
  assert.equal(read.spec.workspace, '.');
});

test('faults of the form are placed', () => {
  check('directive: Check\n', [[1, 1, 'missing', '"tasks" is missing']]);
  check('directive: Check\ntasks: []\n', [[2, 8, 'out_of_range', 'the list may not be empty']]);
  check(`${head}  - id: a\n    run: x\n    need: [b]\n`, [
    [5, 5, 'unknown_key', 'unknown key "need"; did you mean "needs"?'],
  ]);
  check(`${head}  - id: ../a\n    run: x\n`, [
    [3, 9, 'wrong_value', 'expected letters, digits, `.`, `_` or `-`, the first a letter, digit or `_`'],
  ]);
  check(`${head}  - id: a\n    run: ""\n`, [[4, 10, 'out_of_range', 'this may not be empty']]);
  check(`${head}  - id: a\n    run: "x\\0y"\n`, [
    [4, 10, 'wrong_value', 'this may not contain a NUL character'],
  ]);
  for (const timeout of ['10', '0s', '-1s', 'soon', '10 minutes']) {
    check(`${head}  - id: a\n    run: x\n    timeout: "${timeout}"\n`, [
      [5, 14, 'wrong_value', 'expected a duration such as 500ms, 30s, 10m, 2h'],
    ]);
  }
  check(`${head}  - id: a\n    run: x\n    priority: 0\n    retries: -1\n`, [
    [5, 15, 'out_of_range', 'expected a number of at least 1'],
    [6, 14, 'out_of_range', 'expected a number of at least 0'],
  ]);
  check(`${head}  - id: a\n    run: x\n    env: { "A-B": x, C: [1] }\n`, [
    [5, 12, 'wrong_value', 'the key "A-B" is not valid: expected letters, digits and _'],
    [5, 25, 'wrong_type', 'expected text or a number or true or false, got a list'],
  ]);
});

test('faults of the graph are placed at the item', () => {
  check(`${head}  - { id: a, run: x }\n  - { id: b, run: x }\n  - { id: a, run: x }\n`, [
    [5, 11, 'duplicate_id', 'the id "a" is already that of task 1'],
  ]);
  check(`${head}  - { id: types, run: x }\n  - id: unit\n    run: x\n    needs:\n      - typos\n`, [
    [7, 9, 'unknown_need', 'there is no task "typos"; did you mean "types"?'],
  ]);
  check(`${head}  - { id: unit, run: x, needs: unit }\n`, [
    [3, 32, 'self_need', 'the task "unit" needs itself'],
  ]);
  check(`${head}  - { id: a, run: x }\n  - { id: b, run: x, needs: [a, a] }\n`, [
    [4, 33, 'duplicate_need', '"a" is needed twice'],
  ]);
});

test('a cycle is printed whole and placed at the item that closes it', () => {
  check(
    `${head}  - { id: x, run: x, needs: [a] }\n  - { id: a, run: x, needs: [b] }\n  - { id: b, run: x, needs: [c] }\n  - { id: c, run: x, needs: [a] }\n`,
    [[6, 30, 'cycle', 'the needs form a cycle: a → b → c → a']],
  );
  check(`${head}  - { id: a, run: x, needs: b }\n  - { id: b, run: x, needs: a }\n`, [
    [4, 29, 'cycle', 'the needs form a cycle: a → b → a'],
  ]);
});

test('each cycle is told once, and what only leads to one is not', () => {
  const graph = { a: ['b'], b: ['a'], c: ['d'], d: ['c', 'a'], e: ['a'], f: [] };
  const tasks = Object.entries(graph).map(([id, needs]) => ({ id, needs }));
  assert.deepEqual(
    checkGraph(tasks).map(({ message }) => message),
    ['the needs form a cycle: a → b → a', 'the needs form a cycle: c → d → c'],
  );
});

test('a diamond is no cycle', () => {
  const tasks = [
    { id: 'a', needs: [] },
    { id: 'b', needs: ['a'] },
    { id: 'c', needs: ['a'] },
    { id: 'd', needs: ['b', 'c'] },
  ];
  assert.deepEqual(checkGraph(tasks), []);
});

test('a chain and a ring of 5,000 tasks are checked without exhausting the stack', () => {
  const chain = Array.from({ length: 5_000 }, (_, index) => ({
    id: `t${index}`,
    needs: index === 4_999 ? [] : [`t${index + 1}`],
  }));
  assert.deepEqual(checkGraph(chain), []);
  chain[4_999]?.needs.push('t0');
  assert.deepEqual(
    checkGraph(chain).map(({ code }) => code),
    ['cycle'],
  );
});

test('thousands of unknown needs end the check early', () => {
  const tasks = Array.from({ length: 5_000 }, (_, index) => ({ id: `t${index}`, needs: [`other-${index}`] }));
  assert.ok(checkGraph(tasks).length <= 101);
});

test('what is refused by the form is never checked as a graph', () => {
  const read = readDirective(`${head}  - { id: a, needs: [a] }\n`);
  assert.ok(!read.ok);
  assert.deepEqual(
    read.problems.map(({ code }) => code),
    ['missing'],
  );
});
