import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorReply, RespParser } from '../../../src/messaging/redis/resp-parser.ts';

const wire = [
  '+OK\r\n',
  ':42\r\n',
  ':-1\r\n',
  '$-1\r\n',
  '*-1\r\n',
  '*0\r\n',
  '$0\r\n\r\n',
  '$9\r\n課題\r\n\n\r\n',
  '-WRONGPASS no\r\n',
  '*3\r\n*2\r\n$1\r\na\r\n*0\r\n$-1\r\n*1\r\n:7\r\n',
].join('');
const replies = [
  ...['OK', 42, -1, null, null, [], '', '課題\r\n\n', new ErrorReply('WRONGPASS no')],
  [['a', []], null, [7]],
];

function parse(chunks: readonly Buffer[]): unknown[] {
  const found: unknown[] = [];
  const parser = new RespParser((reply) => found.push(reply));
  for (const chunk of chunks) parser.feed(chunk);
  return found;
}

test('each reply is given however the bytes are cut', () => {
  const bytes = Buffer.from(wire);
  for (let size = 1; size <= bytes.length; size += 1) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    );
    assert.deepEqual(parse(chunks), replies, `in pieces of ${size}`);
  }
});

test('a reply is given as soon as its last byte is there', () => {
  for (const text of ['$-1\r\n', '*-1\r\n', '+\r\n', '$2\r\nab\r\n', '*2\r\n:1\r\n$-1\r\n']) {
    const bytes = Buffer.from(text);
    assert.deepEqual(parse([bytes.subarray(0, -1)]), [], text);
    assert.equal(parse([bytes]).length, 1, text);
  }
});

test('what is no RESP2 is refused', () => {
  for (const text of ['HTTP/1.1 400\r\n', '$x\r\n', '*\r\n', ':1.5\r\n']) {
    assert.throws(() => parse([Buffer.from(text)]), /does not speak RESP2/, text);
  }
});
