import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ChaosOptions, type ChaosReport, runChaos, usualKinds } from '../../chaos/chaos.ts';

/** A run of a few seconds; what it tells is shown when the test fails. */
async function run(options: Partial<ChaosOptions>): Promise<{ report: ChaosReport; told: string }> {
  const told: string[] = [];
  const report = await runChaos({
    messages: 300,
    seconds: 0,
    rounds: 1,
    seed: 1,
    appendfsync: 'always',
    rate: 600,
    kinds: usualKinds('always'),
    guardsOff: [],
    keep: false,
    say: (text) => told.push(text),
    signal: new AbortController().signal,
    ...options,
  });
  return { report, told: `${told.join('\n')}\n${JSON.stringify(report)}` };
}

describe('real processes on a real Redis', { skip: process.platform !== 'linux' }, () => {
  it('lose, repeat and reorder nothing, whatever is killed, frozen, cut or brought back', async () => {
    const { report, told } = await run({ messages: 3_000 });
    assert.ok(report.ok, told);
    const { lost, lostEffects, duplicates, orderViolations, dead, unfenced } = report;
    assert.deepEqual(
      { lost, lostEffects, duplicates, orderViolations, dead, unfenced },
      { lost: 0, lostEffects: 0, duplicates: 0, orderViolations: 0, dead: 0, unfenced: 0 },
    );
    assert.ok(report.acknowledged >= 3_000, told);
    for (const kind of usualKinds('always')) assert.ok(report.recoveryByFault[kind]?.count, kind);
    assert.deepEqual(report.unexpectedEnds, {}, told);
  });

  it('repeat effects without the commit number', async () => {
    const { report, told } = await run({ kinds: ['lost-answers'], rounds: 3, guardsOff: ['commit-number'] });
    assert.ok(!report.ok, told);
    assert.ok(report.duplicates > 0, told);
  });

  it('write beside their successors without the fencing and the commit number', async () => {
    const guardsOff = ['fencing', 'commit-number'] as const;
    const { report, told } = await run({ kinds: ['zombie-producer'], guardsOff });
    assert.ok(!report.ok, told);
    assert.ok(report.unfenced > 0, told);
    assert.ok(report.duplicates > 0, told);
  });

  it('lose what was acknowledged when power is cut before Redis has synced', async () => {
    const { report, told } = await run({ appendfsync: 'everysec', kinds: ['power-cut'] });
    assert.ok(!report.ok, told);
    assert.ok(report.lost > 0, told);
  });
});
