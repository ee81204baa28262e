import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { holds, judge, judgeLane } from '../../chaos/checker.ts';
import type { LaneEvidence } from '../../chaos/evidence.ts';

/** Ten messages of process 1, all of them acknowledged and acted on, in two steps. */
function evidence(changes: Partial<LaneEvidence> = {}): LaneEvidence {
  return {
    edge: 'servant_1:normal',
    acknowledged: [[1, 1, 10]],
    counted: 10,
    effects: [[1, 1, 10]],
    outside: [
      [1, 1, 4],
      [1, 5, 10],
    ],
    dead: [],
    sent: 10,
    handled: 10,
    ...changes,
  };
}

describe('the checker', () => {
  it('finds nothing where all is well', () => {
    const verdict = judgeLane(evidence());
    assert.ok(holds(verdict));
    assert.equal(verdict.acknowledged, 10);
    assert.equal(verdict.effects, 10);
  });

  it('does not want an effect to be told outside, nor a commit to be told to its producer', () => {
    assert.ok(holds(judgeLane(evidence({ acknowledged: [[1, 1, 3]], outside: [] }))));
  });

  it('counts an acknowledged message without effect as lost', () => {
    assert.equal(judgeLane(evidence({ effects: [[1, 1, 8]] })).lost, 2);
  });

  it('counts one as lost that was made again by a successor', () => {
    const effects = [
      [1, 1, 8],
      [2, 9, 10],
    ] as const;
    const verdict = judgeLane(evidence({ effects, outside: [] }));
    assert.equal(verdict.lost, 2);
    assert.equal(verdict.duplicates, 0);
  });

  it('counts a message as lost that only the state of its sender knows', () => {
    assert.equal(judgeLane(evidence({ acknowledged: [], effects: [[1, 1, 9]] })).lost, 1);
  });

  it('takes a dead letter for an honest end', () => {
    const verdict = judgeLane(evidence({ effects: [[1, 1, 9]], outside: [], dead: [10] }));
    assert.ok(holds(verdict));
    assert.equal(verdict.dead, 1);
  });

  it('counts an effect that its consumer took for durable and that is gone', () => {
    const verdict = judgeLane(
      evidence({ acknowledged: [[1, 1, 8]], effects: [[1, 1, 8]], counted: 8, sent: 8, handled: 8 }),
    );
    assert.equal(verdict.lostEffects, 2);
  });

  it('counts what was done twice, by the same process or by two', () => {
    const twice = judgeLane(
      evidence({
        effects: [
          [1, 1, 10],
          [1, 9, 10],
        ],
      }),
    );
    assert.equal(twice.duplicates, 2);
    const byTwo = judgeLane(
      evidence({
        effects: [
          [1, 1, 10],
          [2, 10, 10],
        ],
      }),
    );
    assert.equal(byTwo.duplicates, 1);
  });

  it('counts what was told twice outside, though the state holds it once', () => {
    const outside = [
      [1, 1, 10],
      [1, 5, 6],
    ] as const;
    assert.equal(judgeLane(evidence({ outside })).duplicates, 2);
  });

  it('counts what came too late in its lane', () => {
    const effects = [
      [1, 1, 4],
      [1, 7, 10],
      [1, 5, 6],
    ] as const;
    const verdict = judgeLane(evidence({ effects }));
    assert.equal(verdict.orderViolations, 2);
    assert.equal(verdict.lost, 0);
  });

  it('notices when the counts of the broker do not fit', () => {
    assert.equal(judgeLane(evidence({ sent: 11 })).miscounted, 1);
    assert.equal(judgeLane(evidence({ handled: 9 })).miscounted, 1);
  });

  it('adds lanes up', () => {
    assert.equal(judge([evidence(), evidence({ effects: [[1, 1, 9]] })]).lost, 1);
  });
});
