import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../simulation/virtual-clock.ts';
import { EdgeReaders } from '../../src/agents/edge-reader.ts';
import { Inbox } from '../../src/agents/inbox.ts';
import type { Broker, Entry, ReadOptions } from '../../src/messaging/broker.ts';
import { systemClock } from '../../src/messaging/clock.ts';
import { ElderError } from '../../src/protocol/errors.ts';
import { edgeKey } from '../../src/protocol/keys.ts';
import { nullLogger } from '../../src/telemetry/logger.ts';

const edge = edgeKey('grand_elder', 'normal');

test('that Redis answers again is known without waiting for a message', async () => {
  const asked: number[] = [];
  const blocked: (string | null)[] = [];
  const back = Promise.withResolvers<void>();
  const broker: Pick<Broker, 'read'> = {
    read(_: ReadonlyMap<string, string>, { waitMs }: ReadOptions): Promise<Entry[]> {
      asked.push(waitMs);
      if (asked.length <= 2) return Promise.reject(new ElderError('redis_unreachable', 'away'));
      // Nothing comes: one that waits is not answered within this test.
      return waitMs === 0 ? Promise.resolve([]) : new Promise(() => {});
    },
  };
  const readers = new EdgeReaders(
    {
      broker: broker as Broker,
      clock: systemClock,
      log: nullLogger,
      observer: {
        onBlocked: (_, error) => {
          blocked.push(error?.code ?? null);
          if (error === null) back.resolve();
        },
      },
    },
    new Inbox([edge], new Map()),
    () => readers.keepReading(),
  );
  readers.keepReading();
  await back.promise;
  assert.deepEqual(blocked, ['redis_unreachable', 'redis_unreachable', null]);
  const [first = 0, ...rest] = asked;
  assert.ok(first > 0);
  assert.deepEqual(rest.slice(0, 2), [0, 0]);
  // Then it waits again as before.
  assert.equal(rest[2], first);
  assert.equal(readers.takeReturn(), true);
  readers.stop();
});

test('a broker that was closed is not asked over and over', async () => {
  const clock = new VirtualClock();
  let asked = 0;
  const broker: Pick<Broker, 'read'> = {
    read: () => {
      asked += 1;
      // What would go on for ever ends here, so that it is seen.
      return asked < 1_000 ? Promise.resolve([]) : new Promise(() => {});
    },
  };
  const readers = new EdgeReaders(
    { broker: broker as Broker, clock, log: nullLogger, observer: {} },
    new Inbox([edge], new Map()),
    () => readers.keepReading(),
  );
  readers.keepReading();
  await clock.advance(1_000);
  assert.ok(asked > 1 && asked <= 10, `asked ${asked} times`);
  readers.stop();
});
