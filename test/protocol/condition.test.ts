import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type ConditionFacts, evaluateCondition, parseCondition } from '../../src/protocol/condition.ts';

const facts: ConditionFacts = {
  succeeded: true,
  failed: false,
  result: (need) => (need === 'a.b' ? 'failed' : 'succeeded'),
  output: (need, name) => (need === 'build' && name === 'kind' ? "it's" : ''),
  matrix: { node: '26' },
};
const holds = (source: string, changes: Partial<ConditionFacts> = {}) =>
  evaluateCondition(parseCondition(source), { ...facts, ...changes });
const afterFailure = { succeeded: false, failed: true };

suite('a condition', () => {
  test('on the outcome of what was needed', () => {
    assert.ok(holds('success()'));
    assert.ok(!holds('failure()'));
    assert.ok(holds('failure()', afterFailure));
    assert.ok(holds('always()', afterFailure));
    assert.ok(!holds('success()', afterFailure));
  });

  test('compares results, outputs and the matrix with text', () => {
    assert.ok(holds("needs.a.b.result == 'failed'"));
    assert.ok(holds("needs.build.outputs.kind == 'it''s'"));
    assert.ok(holds("needs.build.outputs.none == ''"));
    assert.ok(holds("matrix.node != '24'"));
    assert.ok(holds('needs.build.outputs.kind'));
    assert.ok(!holds('needs.build.outputs.none'));
  });

  test('binds ! before == before && before ||', () => {
    assert.ok(holds("always() || 'a' == 'b' && 'a' == 'b'"));
    assert.ok(!holds("(always() || 'a' == 'b') && 'a' == 'b'"));
    assert.ok(holds('!failure() && !!success()'));
  });

  test('that speaks of no outcome asks for success as well', () => {
    assert.ok(!holds("matrix.node == '26'", afterFailure));
    assert.ok(holds("matrix.node == '26' && always()", afterFailure));
  });

  test('is refused where it is not understood, saying what', () => {
    for (const [source, what] of [
      ['', /ends too early/],
      ['success() &&', /ends too early/],
      ['(always()', /"\)" is missing/],
      ['always() always()', /nothing was expected/],
      ['env.CI', /"env.CI" is not understood/],
      ['success() ; rm', /"; rm" is not understood/],
      ['failure', /"failure" is not understood/],
      [`${'('.repeat(40)}always()${')'.repeat(40)}`, /nested/],
    ] as const) {
      assert.throws(() => parseCondition(source), { name: 'SyntaxError', message: what }, source);
    }
  });
});
