import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeMessage,
  encodeMessage,
  encodeParts,
  maxMessageDepth,
  messageText,
} from '../../src/messaging/codec.ts';
import { ElderError } from '../../src/protocol/errors.ts';
import { type ElderMessage, maxMessageBytes } from '../../src/protocol/message.ts';

const edge = 'task_sage:normal';
const message: ElderMessage = {
  message_id: 'm-1',
  source_elder: 'task_sage',
  target_elder: 'servant_1',
  message_type: 'command',
  payload: { title: '課題', list: [1, null, { a: true }] },
  priority: 5,
  timestamp: '2026-01-01T00:00:00.000Z',
  requires_ack: false,
  action: 'sage.task.assign',
  correlation_id: 'c-1',
  hops: 2,
  v: 1,
};

function refusal(body: string, self = 'servant_1') {
  const decoded = decodeMessage(body, edge, self);
  assert.ok(!decoded.ok);
  return { code: decoded.error.code, messageId: decoded.messageId };
}

function nested(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels);
}

test('a message comes back as it went', () => {
  assert.deepEqual(decodeMessage(encodeMessage(message), edge, 'servant_1'), { ok: true, message });
});

test('unknown fields are dropped', () => {
  const body = JSON.stringify({ ...message, of_the_future: 1 });
  assert.deepEqual(decodeMessage(body, edge, 'servant_1'), { ok: true, message });
});

test('what is not a message is malformed, with its id where it tells one', () => {
  for (const body of ['', 'null', '42', '"text"', '[]', '{', '{"message_id":7}', '{"message_id":""}']) {
    assert.deepEqual(refusal(body), { code: 'malformed', messageId: null });
  }
  for (const changed of [
    { message_type: 'gossip' },
    { priority: 11 },
    { priority: 1.5 },
    { payload: [] },
    { payload: undefined },
    { hops: 1000 },
    { action: 'Not Dotted' },
    { timestamp: 'yesterday' },
    { v: 2 },
  ]) {
    const body = JSON.stringify({ ...message, ...changed });
    assert.deepEqual(refusal(body), { code: 'malformed', messageId: 'm-1' }, body);
  }
});

test('a message that names others than its edge does is denied', () => {
  for (const changed of [{ source_elder: 'grand_elder' }, { target_elder: 'servant_2' }]) {
    const body = JSON.stringify({ ...message, ...changed });
    assert.deepEqual(refusal(body), { code: 'denied', messageId: 'm-1' });
  }
});

test('a message in two parts says what it says as a whole', () => {
  const { causation_id: _, ...rest } = message;
  const begins: ElderMessage = { ...rest, correlation_id: message.message_id };
  const chain = ['claude_elder'];
  const expires = '2026-01-02T00:00:00.000Z';
  const caused: ElderMessage = {
    ...message,
    causation_id: 'm-0',
    on_behalf_of: chain,
    expires_at: expires,
    priority: 9,
  };
  const decoded = (each: ElderMessage) => {
    const { body, head } = encodeParts(each);
    assert.deepEqual(JSON.parse(messageText({ body, head })), each);
    return decodeMessage(body, edge, 'servant_1', head);
  };
  for (const each of [message, begins, caused, message]) {
    assert.deepEqual(decoded(each), { ok: true, message: each });
  }
  assert.equal(encodeParts(message).head, encodeParts({ ...message, message_id: 'm-2', payload: {} }).head);
  const { correlation_id: __, ...alone } = message;
  assert.deepEqual(encodeParts(alone), { body: encodeMessage(alone) });
});

test('a message in two parts is checked as one', () => {
  const { head = '', body } = encodeParts(message);
  const code = (ownPart: string, shared: string, self = 'servant_1') => {
    const decoded = decodeMessage(ownPart, edge, self, shared);
    return decoded.ok ? 'ok' : decoded.error.code;
  };
  assert.equal(code(body, head), 'ok');
  assert.equal(code(body, head, 'servant_2'), 'denied');
  assert.equal(code(body.replace('{', '{"source_elder":"grand_elder",'), head), 'denied');
  assert.equal(code(body.replace('{', '{"of_the_future":[1],'), head), 'ok');
  for (const spoilt of ['', '[]', 'null', '{', head.replace('"priority":5', '"priority":50')]) {
    assert.equal(code(body, spoilt), 'malformed', spoilt);
  }
  for (const spoilt of ['', '[]', 'null', '{', body.replace('"m-1"', '7')]) {
    assert.equal(code(spoilt, head), 'malformed', spoilt);
  }
  const half = 'x'.repeat(maxMessageBytes / 2);
  assert.equal(code(body.replace('{', `{"a":"${half}",`), head.replace('{', `{"b":"${half}",`)), 'malformed');
});

test('size is bounded in bytes', () => {
  const withPadding = (characters: number, character: string): ElderMessage => ({
    ...message,
    payload: { pad: character.repeat(characters) },
  });
  const frame = Buffer.byteLength(encodeMessage(withPadding(0, 'x')));
  const largest = encodeMessage(withPadding(maxMessageBytes - frame, 'x'));
  assert.equal(Buffer.byteLength(largest), maxMessageBytes);
  assert.ok(decodeMessage(largest, edge, 'servant_1').ok);
  for (const tooLarge of [
    withPadding(maxMessageBytes - frame + 1, 'x'),
    withPadding(Math.ceil((maxMessageBytes - frame) / 3) + 1, '課'),
  ]) {
    assert.throws(
      () => encodeMessage(tooLarge),
      (error) => error instanceof ElderError && error.code === 'too_large',
    );
    assert.equal(refusal(JSON.stringify(tooLarge)).code, 'malformed');
  }
});

test('depth is bounded, however deep it goes', () => {
  const body = (levels: number) =>
    JSON.stringify({ ...message, payload: { a: 0 } }).replace('0}', `${nested(levels)}}`);
  assert.ok(decodeMessage(body(maxMessageDepth - 2), edge, 'servant_1').ok);
  assert.deepEqual(refusal(body(maxMessageDepth - 1)), { code: 'malformed', messageId: 'm-1' });
  assert.deepEqual(refusal(body(400_000)), { code: 'malformed', messageId: 'm-1' });
  assert.deepEqual(refusal(nested(400_000)), { code: 'malformed', messageId: null });
});

test('a name that objects have of their own changes nothing', () => {
  const body = encodeMessage(message).replace('"title"', '"__proto__":{"polluted":true},"constructor"');
  const decoded = decodeMessage(body, edge, 'servant_1');
  assert.ok(decoded.ok);
  assert.equal(Object.getPrototypeOf(decoded.message.payload), Object.prototype);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

test('a value with a length that cannot be compared is refused, not stumbled over', () => {
  const length = { toString: 1, valueOf: 1 };
  const raw = { ...JSON.parse(encodeMessage(message)), correlation_id: { length } };
  const decoded = decodeMessage(JSON.stringify(raw), edge, message.target_elder);
  assert.equal(decoded.ok, false);
  assert.equal(decoded.ok || decoded.error.code, 'malformed');
});
