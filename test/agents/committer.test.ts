import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
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

function committerThatHears(
  ...given: (CommitAnswer | Error)[] | [{ answers: (CommitAnswer | Error)[]; fields: Map<string, string> }]
) {
  const [first] = given;
  const { answers, fields } =
    first && 'answers' in first
      ? first
      : { answers: given as (CommitAnswer | Error)[], fields: new Map<string, string>() };
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
    broker: {
      commit,
      load: async () => ({ commitNumber: 5, fields, positions: new Map() }),
    } as Pick<Broker, 'commit' | 'load'> as Broker,
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
  for (const [number, code] of [
    [3, 'data_lost'],
    [6, 'conflict'],
  ] as const) {
    const { committer, written } = committerThatHears({ kind: 'stale', number });
    await assert.rejects(written, hasCode(code));
    assert.equal(committer.number, 4);
  }
});

const full = { kind: 'full', target: 'servant_1', lane: 'normal' } as const;
const own = { kind: 'stale', number: 5 } as const;

test('a full edge is told at once, and its number is free for another commit', async () => {
  const { committer, sent, written, blocked } = committerThatHears(full);
  assert.deepEqual(await written, full);
  assert.equal(committer.number, 4);
  assert.equal(await committer.write({ ...content, set: new Map() }, new AbortController().signal), null);
  assert.deepEqual(
    sent.map(({ number }) => number),
    [5, 5],
  );
  assert.deepEqual(blocked, []);
});

suite('a commit that found an edge full after an answer was lost', () => {
  const isVoid = ({ set, send }: Commit) => set.has('@voided/commit') && send.length === 0;

  async function outcome(answers: (CommitAnswer | Error)[], fields = new Map<string, string>()) {
    const { clock, committer, sent, written } = committerThatHears({
      answers: [lost, full, ...answers],
      fields,
    });
    await clock.until(() => sent.length === 2 + answers.length);
    return { result: await written, number: committer.number, last: sent.at(-1) as Commit };
  }

  test('uses its number up, so that the first sending cannot land later', async () => {
    const { result, number, last } = await outcome([{ kind: 'ok' }]);
    assert.deepEqual([result, number, last.number], [full, 5, 5]);
    assert.equal(isVoid(last), true);
  });

  test('has landed when its number is taken', async () => {
    assert.deepEqual((await outcome([own])).result, null);
  });

  test('looks what stands under its number when that answer was lost too', async () => {
    assert.deepEqual((await outcome([lost, own], new Map([['@voided/commit', '5']]))).result, full);
    assert.deepEqual((await outcome([lost, own], new Map([['@voided/commit', '3']]))).result, null);
  });
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
