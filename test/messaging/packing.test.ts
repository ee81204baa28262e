import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outgoing } from '../../src/messaging/broker.ts';
import { pack, packed, packLimit, unpack } from '../../src/messaging/packing.ts';

const to = (body: string, head?: string, target = 'servant_1'): Outgoing => ({
  target,
  lane: 'normal',
  body,
  ...(head !== undefined && { head }),
});

/** The fields of an entry as the commit function writes them. */
function fieldsOf(count: string, text: string, first = 1): Map<string, string> {
  const fields = new Map([
    ['q', String(first)],
    ['m', text],
  ]);
  return count === '0' ? fields : fields.set('n', count);
}

test('what is packed comes out as it went in, in its order', () => {
  const messages = [
    ...[to('{"a":1}', '{"h":1}'), to('{"a":2}', '{"h":1}'), to('{"a":3}'), to('{"a":4}', '{"h":2}')],
    ...[to('two\nlines'), to('^mark'), to(''), to('{"a":5}', '{"h":2}'), to('x', undefined, 'servant_2')],
    ...Array.from({ length: 2 * packLimit }, (_, index) => to(`{"n":${index}}`, '{"h":3}')),
  ];
  const packs = pack(messages);
  assert.ok(packs.length < 10);
  for (const target of ['servant_1', 'servant_2']) {
    const own = packs.filter((each) => each.target === target);
    const read = own.flatMap((each) => {
      const { count, text } = packed(each);
      const unpacked = unpack('5-0', fieldsOf(count, text));
      assert.ok(unpacked.length <= packLimit);
      assert.deepEqual(
        unpacked.map(({ sequence }) => sequence),
        unpacked.map((_, index) => index + 1),
      );
      return unpacked.map(({ body, head }) => [body, head]);
    });
    const sent = messages.filter((each) => each.target === target);
    assert.deepEqual(
      read,
      sent.map(({ body, head }) => [body, head]),
    );
  }
});

test('shared fields stand once in an entry, and a message that is alone with none is written as it is', () => {
  const [both] = pack([to('{"a":1}', '{"h":1}'), to('{"a":2}', '{"h":1}')]);
  assert.deepEqual(both && packed(both), { count: '2', text: '^{"h":1}\n{"a":1}\n{"a":2}' });
  const [alone] = pack([to('{"a":1}')]);
  assert.deepEqual(alone && packed(alone), { count: '0', text: '{"a":1}' });
});

test('an entry whose parts do not fit together is one message without a number', () => {
  for (const [count, text] of [
    ['3', 'a\nb'],
    ['1', '^{"h":1}'],
    ['02', 'a\nb'],
    ['x', 'a'],
  ] as const) {
    assert.deepEqual(unpack('5-0', fieldsOf(count, text)), [
      { id: '5-0', sequence: Number.NaN, body: text, head: undefined },
    ]);
  }
  assert.equal(unpack('5-0', new Map([['n', '1']]))[0]?.sequence, Number.NaN);
});
