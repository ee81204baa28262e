import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { AfterReplacement } from '../../../src/supervision/restarts/after-replacement.ts';

test('what nobody waits for waits for all replacements, a second at most, and keeps its order', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const after = new AfterReplacement();
    const done: number[] = [];
    after.run(() => done.push(0));
    assert.deepEqual(done, [0], 'at once where nothing is replaced');
    const first = after.began();
    const second = after.began();
    after.run(() => done.push(1));
    after.run(() => done.push(2));
    first();
    first();
    mock.timers.tick(500);
    assert.deepEqual(done, [0], 'the other is still under way');
    second();
    mock.timers.tick(200);
    assert.deepEqual(done, [0, 1, 2]);
    after.began();
    after.run(() => done.push(3));
    mock.timers.tick(1_000);
    assert.deepEqual(done, [0, 1, 2, 3], 'one that takes too long holds nothing up');
    after.began();
    after.run(() => done.push(4));
    after.flush();
    assert.deepEqual(done, [0, 1, 2, 3, 4], 'a tree that ends writes everything');
  } finally {
    mock.timers.reset();
  }
});

test('there is calm only when nothing has been replaced for a while, nor has just been started', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    let now = 0;
    const after = new AfterReplacement(() => now);
    assert.equal(after.isCalm, false);
    now += 20_000;
    assert.equal(after.isCalm, true);
    const over = after.began();
    now += 20_000;
    assert.equal(after.isCalm, false, 'one is under way');
    over();
    mock.timers.tick(1_000);
    assert.equal(after.isCalm, true);
    after.began()();
    mock.timers.tick(1_000);
    now += 5_000;
    assert.equal(after.isCalm, false, 'one was just now');
  } finally {
    mock.timers.reset();
  }
});
