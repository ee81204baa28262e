import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../simulation/random.ts';
import { Deadlines } from '../../src/agents/deadlines.ts';

test('finds what a look at all open questions would find', () => {
  const random = new Random(1);
  const open = new Map<string, number>();
  const deadlines = new Deadlines();
  const stands = (id: string, at: number) => open.get(id) === at;
  for (let turn = 0; turn < 20_000; turn += 1) {
    if (open.size < 200 && random.chance(0.6)) {
      const at = random.whole(1, 1_000);
      open.set(`q${turn}`, at);
      deadlines.add(`q${turn}`, at);
    } else if (open.size > 0) {
      open.delete(random.pick([...open.keys()]));
    }
    const now = random.whole(0, 300);
    const due = [...open].filter(([, at]) => at <= now).map(([id]) => id);
    assert.deepEqual(deadlines.due(now, stands).sort(), due.sort());
    const next = open.size > 0 ? Math.min(...open.values()) : undefined;
    assert.equal(deadlines.next(stands), next);
  }
});
