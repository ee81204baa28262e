import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainMessage } from '../../src/messaging/plain-message.ts';
import { elderMessage, maxHops, messageTypes } from '../../src/protocol/message.ts';

const maxDepth = 8;

/** A generator of numbers from 0 to 1 that gives the same ones for the same seed. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const random = chance(20_261_122);
const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;

const odd: readonly unknown[] = [
  ...[
    null,
    true,
    false,
    0,
    -0,
    1,
    5,
    10,
    11,
    -1,
    1.5,
    1e21,
    Number.MAX_SAFE_INTEGER + 2,
    maxHops,
    maxHops + 1,
  ],
  ...[
    '',
    'x',
    'x'.repeat(64),
    'x'.repeat(65),
    '課'.repeat(128),
    '😀'.repeat(40),
    'x'.repeat(129),
    'a.b_c',
    'a..b',
  ],
  ...['a.b\n', 'A.b', '2026-02-29T00:00:00.000Z', '2024-02-29T00:00:00.000Z', '2026-01-31T23:59:59.999Z'],
  ...[
    '2026-01-01T00:00:00.000Z',
    '2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00.000+09:00',
    '2026-01-01T24:00:00.000Z',
  ],
  ...['2026-13-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z\n', '2026-01-01T00:00:60.000Z', ...messageTypes],
  ...[[], {}, [[]], { a: 1 }, { a: [1, null, { b: 'c' }] }, [[[[[[[[1]]]]]]]]],
];

const usual = {
  message_id: 'm-1',
  source_elder: 'task_sage',
  target_elder: 'servant_1',
  message_type: 'command',
  payload: { title: '課題', list: [1, null, { a: true }], deep: { er: { still: 1.5 } } },
  priority: 5,
  timestamp: '2026-01-01T00:00:00.000Z',
  requires_ack: false,
  action: 'sage.task.assign',
  correlation_id: 'c-1',
  causation_id: 'c-2',
  expires_at: '2026-01-02T00:00:00.000Z',
  hops: 2,
  traceparent: '00-1-2-01',
  v: 1,
};

/** A usual message with some of its fields changed, left out or added, as JSON. */
function candidate(): string {
  const message: Record<string, unknown> = structuredClone(usual);
  for (let changes = Math.floor(random() * 3); changes > 0; changes -= 1) {
    const key = one([...Object.keys(usual), 'of_the_future']);
    if (random() < 0.3) delete message[key];
    else if (key === 'payload' && random() < 0.7) message[key] = { some: one(odd) };
    else message[key] = one(odd);
  }
  let text = JSON.stringify(message);
  if (random() < 0.1) text = text.replace('"title"', '"__proto__"');
  if (random() < 0.1) text = text.replace('1.5', '1e999');
  if (random() < 0.1) text = text.replace('"payload":{"', '"payload":{"__proto__":{"x":1},"');
  return text;
}

test('whatever the check by hand lets pass, the schema gives alike', () => {
  let passed = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const text = candidate();
    const plain = plainMessage(JSON.parse(text), maxDepth);
    if (!plain) continue;
    passed += 1;
    assert.deepEqual(plain, elderMessage.parse(JSON.parse(text)), text);
  }
  assert.ok(passed > 5_000, `only ${passed} of the candidates were usual`);
});

test('what elders write needs no schema', () => {
  assert.deepEqual(plainMessage(structuredClone(usual), maxDepth), usual);
});

test('what is nested too deeply is left to the schema', () => {
  const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
  assert.ok(plainMessage({ ...usual, payload: { a: nested(maxDepth - 2) } }, maxDepth));
  assert.equal(plainMessage({ ...usual, payload: { a: nested(maxDepth - 1) } }, maxDepth), null);
  assert.equal(plainMessage({ ...usual, of_the_future: nested(3) }, maxDepth), null);
});
