import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../simulation/virtual-clock.ts';
import { Committer } from '../../src/agents/committer.ts';
import type { Broker, Commit, CommitAnswer } from '../../src/messaging/broker.ts';
import { ElderError } from '../../src/protocol/errors.ts';
import { hasCode } from '../messaging/conformance.ts';

const content = {
  set: new Map([['a', '1']]),
  remove: new Set<string>(),
  positions: new Map(),
  send: [],
  journal: null,
};
const lost = new ElderError('redis_unreachable', 'no answer');

function committerThatHears(...answers: (CommitAnswer | Error)[]) {
  const clock = new VirtualClock();
  const sent: Commit[] = [];
  const blocked: (string | null)[] = [];
  const commit = async (commit: Commit): Promise<CommitAnswer> => {
    sent.push(commit);
    const answer = answers.shift() ?? { kind: 'ok' };
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const committer = new Committer(4, {
    broker: { commit } as Broker,
    clock,
    random: () => 0.5,
    onBlocked: (error) => void blocked.push(error?.code ?? null),
  });
  const abort = new AbortController();
  return { clock, sent, blocked, committer, abort, written: committer.write(content, abort.signal) };
}

test('a commit has the number after the last and lands once it is answered', async () => {
  const { committer, sent, written, blocked } = committerThatHears();
  await written;
  assert.deepEqual(sent, [{ ...content, number: 5 }]);
  assert.equal(committer.number, 5);
  assert.deepEqual(blocked, []);
});

test('a commit whose answer was lost is sent again unchanged, and its own number means that it had landed', async () => {
  const { clock, committer, sent, written, blocked } = committerThatHears(lost, lost, {
    kind: 'stale',
    number: 5,
  });
  await clock.until(() => sent.length === 3);
  await written;
  assert.equal(sent[0], sent[1]);
  assert.equal(sent[1], sent[2]);
  assert.equal(committer.number, 5);
  assert.deepEqual(blocked, ['redis_unreachable', null]);
});

test('another number means that Redis lost data or another writes: it does not go on', async () => {
  for (const number of [3, 6]) {
    const { committer, written } = committerThatHears({ kind: 'stale', number });
    await assert.rejects(written, hasCode('conflict'));
    assert.equal(committer.number, 4);
  }
});

test('a full edge makes it wait, ever longer, until there is room', async () => {
  const full = { kind: 'full', target: 'servant_1', lane: 'normal' } as const;
  const { clock, sent, written, blocked } = committerThatHears(full, full, full);
  const times: number[] = [];
  const began = clock.now();
  while (sent.length < 4) {
    const before = sent.length;
    await clock.until(() => sent.length > before);
    times.push(clock.now() - began);
  }
  await written;
  assert.deepEqual(times, [15, 45, 105]);
  assert.deepEqual(blocked, ['edge_full', null]);
});

test('a refusing Redis is waited for, a fence is not', async () => {
  const refused = new ElderError('redis_refused', 'OOM');
  const waiting = committerThatHears(refused);
  await waiting.clock.until(() => waiting.sent.length === 2);
  await waiting.written;
  const fenced = committerThatHears({ kind: 'fenced' });
  await assert.rejects(fenced.written, hasCode('fenced'));
  const gone = committerThatHears(new ElderError('fenced', 'the user is gone'));
  await assert.rejects(gone.written, hasCode('fenced'));
});

test('an abort ends the waiting at once', async () => {
  const { clock, abort, written } = committerThatHears(lost, lost, lost);
  await clock.settle();
  abort.abort();
  await assert.rejects(written, hasCode('interrupted'));
});
