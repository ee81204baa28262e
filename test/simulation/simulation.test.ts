import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { suite, test } from 'node:test';
import { type GuardName, guardNames, provoking } from '../../simulation/guards.ts';
import { simulate } from '../../simulation/world.ts';

const seeds = 60;
/** Within so many seeds a guard that is off must have been missed. */
const seedsWithoutGuard = 60;
const seedsProvoked = 8;

test(`every guarantee holds in ${seeds} seeds`, async () => {
  const totals = {
    restarts: 0,
    executions: 0,
    tasks: 0,
    fulls: 0,
    deaths: 0,
    replays: 0,
    killed: 0,
    audited: 0,
    lostCommits: 0,
  };
  for (let seed = 1; seed <= seeds; seed += 1) {
    const result = await simulate({ seed });
    assert.deepEqual(result.violations, [], `npm run simulate -- --seed ${seed} --verbose`);
    for (const key of Object.keys(totals) as (keyof typeof totals)[]) totals[key] += result[key];
  }
  // A simulation in which nothing happens proves nothing.
  const { restarts, executions, tasks, ...rare } = totals;
  for (const total of [restarts, executions, tasks]) assert.ok(total > seeds, JSON.stringify(totals));
  for (const total of Object.values(rare)) assert.ok(total > 0, JSON.stringify(totals));
});

test('the same seed gives the same trace, another seed another', async () => {
  const hashes = new Set<string>();
  for (const seed of [7, 8, 9]) {
    const [first, second] = [await simulate({ seed }), await simulate({ seed })];
    assert.deepEqual(first, second);
    hashes.add(first.traceHash);
  }
  assert.equal(hashes.size, 3);
});

suite('the checker notices when a guard is off', () => {
  /** What must be among the violations, so that it is this guard that is missed and not another. */
  const signs: Readonly<Record<GuardName, RegExp>> = {
    atomic_commit: /never acted on/,
    commit_number: /sent twice|acted on 2 times/,
    incarnation: /acted after|sent twice|acted on 2 times/,
    position_in_commit: /never acted on/,
    sync_before_ack: /acknowledged and then lost|ran twice|sage does not know it/,
    loss_detection: /lost without an alarm/,
    watch: /lost without an alarm/,
    voiding: /never acted on|not done/,
    back_pressure: /held more than/,
    idempotency_key: /was carried out \d times/,
    dead_letters: /given up and no dead letter/,
    isolation: /sent and never acted on/,
    audit_once: /twice in the audit log/,
    reaping: /two attempts/,
    lease_wait: /two attempts/,
    recall_wait: /two attempts|ran twice/,
  };
  for (const guardOff of guardNames) {
    test(guardOff, async () => {
      for (let seed = 1; seed <= seedsWithoutGuard; seed += 1) {
        const { violations } = await simulate({ seed, guardOff });
        if (violations.some((violation) => signs[guardOff].test(violation))) return;
      }
      assert.fail(`${seedsWithoutGuard} seeds without ${guardOff} broke nothing`);
    });
  }

  // What is made frequent to have a guard missed soon breaks nothing by itself.
  for (const provoked of Object.keys(provoking) as GuardName[]) {
    test(`and nothing else when ${provoked} is on and needed often`, async () => {
      for (let seed = 1; seed <= seedsProvoked; seed += 1) {
        assert.deepEqual((await simulate({ seed, provoked })).violations, [], `seed ${seed}`);
      }
    });
  }
});

suite('npm run simulate', () => {
  async function run(...args: string[]) {
    const child = spawn(process.execPath, ['simulation/run.ts', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, err, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    return { out, err, code: code as number };
  }

  test('ends with one JSON object and 0 when all is well', async () => {
    const { out, code } = await run('--seeds', '2');
    assert.equal(code, 0);
    const { seeds: done, failed, guardOff } = JSON.parse(out);
    assert.deepEqual([done, failed, guardOff], [2, [], null]);
  });

  test('names the seed that failed and how to run it again, and does not end with 0', async () => {
    const { out, err, code } = await run('--seeds', '5', '--guard-off', 'commit_number');
    assert.equal(code, 1);
    const [first] = JSON.parse(out).failed;
    assert.match(err, new RegExp(`seed ${first.seed} broke`));
    assert.match(
      err,
      new RegExp(`npm run simulate -- --seed ${first.seed} --verbose --guard-off commit_number`),
    );
  });

  test('prints every event of one seed', async () => {
    const { err } = await run('--seed', '3', '--verbose');
    assert.match(err, /servant_\d#\d+ begins d\d\/t\d+ attempt 1/);
    assert.match(err, /trace hash [0-9a-f]{16}/);
  });

  test('refuses what it does not understand', async () => {
    for (const args of [
      ['--seeds', 'x'],
      ['--seed', '0'],
      ['--guard-off', 'nothing'],
      ['--sed', '1'],
      ['1'],
    ]) {
      const { out, err, code } = await run(...args);
      assert.deepEqual([code, out], [2, '']);
      assert.match(err, /npm run simulate/);
    }
  });
});
