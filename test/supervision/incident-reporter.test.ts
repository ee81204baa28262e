import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Broker, Commit, CommitAnswer } from '../../src/messaging/broker.ts';
import type { IncidentReport } from '../../src/protocol/actions.ts';
import { ElderError } from '../../src/protocol/errors.ts';
import { IncidentReporter } from '../../src/supervision/incident-reporter.ts';

const report = (fingerprint: string): IncidentReport => ({
  fingerprint,
  title: 'x',
  severity: 'low',
  detail: 'x',
  directiveId: null,
});

/** The manager's end of the broker contract, with faults that a real Redis shows only by chance. */
class FaultyBroker {
  landed: string[] = [];
  number = 0;
  connections = 0;
  /** Taken one per commit; then all goes well. */
  faults: ('lost answer' | 'lost commit' | 'full' | 'fenced')[] = [];
  #waiting: { count: number; resolve: () => void } | null = null;

  connect = async (): Promise<Broker> => {
    this.connections += 1;
    const unused = () => assert.fail('the manager only commits');
    return {
      load: async () => ({ commitNumber: this.number, fields: new Map(), positions: new Map() }),
      commit: async (commit) => this.#commit(commit),
      close: async () => undefined,
      read: unused,
      publish: unused,
      subscribe: unused,
    };
  };

  /** Resolves when so many incidents have landed. */
  until(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = { count, resolve };
    this.#look();
    return promise;
  }

  #commit(commit: Commit): CommitAnswer {
    const fault = this.faults.shift();
    const unreachable = new ElderError('redis_unreachable', 'the connection broke');
    if (fault === 'lost commit') throw unreachable;
    if (fault === 'full') return { kind: 'full', target: 'incident_sage', lane: 'high' };
    if (fault === 'fenced') return { kind: 'fenced' };
    if (commit.number !== this.number + 1) return { kind: 'stale', number: this.number };
    this.number = commit.number;
    for (const { body } of commit.send) this.landed.push(JSON.parse(body).payload.fingerprint);
    this.#look();
    if (fault === 'lost answer') throw unreachable;
    return { kind: 'ok' };
  }

  #look(): void {
    if (this.#waiting && this.landed.length >= this.#waiting.count) this.#waiting.resolve();
  }
}

function reporterFor(broker: FaultyBroker, limit = 100): IncidentReporter {
  const { connect } = broker;
  return new IncidentReporter({ connect, limit, retryDelay: 1, onError: () => undefined });
}

for (const fault of ['lost answer', 'lost commit', 'full', 'fenced'] as const) {
  test(`each incident lands once, in order, whatever happens to the commit: ${fault}`, async () => {
    const broker = new FaultyBroker();
    broker.faults = [fault, fault, fault];
    const reporter = reporterFor(broker);
    for (const fingerprint of ['a', 'b', 'c']) reporter.raise(report(fingerprint));
    await broker.until(3);
    await reporter.close();
    assert.deepEqual(broker.landed, ['a', 'b', 'c']);
  });
}

test('a commit whose answer was lost is not repeated by a new connection', async () => {
  const broker = new FaultyBroker();
  broker.faults = ['lost answer', 'fenced'];
  const reporter = reporterFor(broker);
  reporter.raise(report('a'));
  reporter.raise(report('b'));
  await broker.until(2);
  await reporter.close();
  assert.deepEqual(broker.landed, ['a', 'b']);
  assert.equal(broker.connections, 2);
});

test('what waits is bounded: the oldest is dropped and counted', async () => {
  const broker = new FaultyBroker();
  const reporter = reporterFor(broker, 3);
  for (const fingerprint of ['a', 'b', 'c', 'd', 'e']) reporter.raise(report(fingerprint));
  await broker.until(3);
  await reporter.close();
  assert.deepEqual([broker.landed, reporter.dropped], [['c', 'd', 'e'], 2]);
});

test('after close nothing is taken or sent, and closing does not wait for Redis', async () => {
  const broker = new FaultyBroker();
  const reporter = new IncidentReporter({
    connect: () => Promise.reject(new ElderError('redis_unreachable', 'away')),
    limit: 3,
    retryDelay: 600_000,
    onError: () => undefined,
  });
  reporter.raise(report('a'));
  await reporter.close();
  reporter.raise(report('b'));
  assert.deepEqual(broker.landed, []);
});
