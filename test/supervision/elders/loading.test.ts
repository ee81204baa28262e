import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { readJsonLines } from '../../../src/supervision/elders/json-lines.ts';
import { followLoading } from '../../../src/supervision/elders/loading.ts';

const made = { kind: 'key_made', publicKey: Buffer.from('key').toString('base64') };
const loaded = { kind: 'loaded' };
const proof = { kind: 'key', publicKey: 'p', signature: 's' };
const ready = { kind: 'ready' };

function child() {
  const channel = new PassThrough();
  const lines = readJsonLines(channel, 1_000);
  const say = (...said: object[]) => channel.write(said.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return { channel, lines, say, loading: followLoading(lines) };
}

for (const [how, said] of [
  ['before it has loaded its program', [made, proof, loaded, ready]],
  ['when it has loaded its program', [made, loaded, proof, ready]],
] as const) {
  test(`a process that answers ${how} is understood, and its reports are left to their reader`, async () => {
    const { lines, say, loading } = child();
    say(...said);
    assert.deepEqual(await loading.answer, proof);
    assert.deepEqual(await lines.next(), { value: ready, done: false });
    await loading.loaded;
    assert.equal(String(await loading.key), 'key');
    assert.equal(String(loading.keySoFar()), 'key');
  });
}

test('its reports are read by whoever has its answer, though it loads for longer', async () => {
  const { lines, say, loading } = child();
  say(made, proof);
  await loading.answer;
  assert.equal(loading.isOver(), false);
  const first = lines.next();
  say(loaded, ready);
  assert.deepEqual(await first, { value: ready, done: false });
  assert.equal(loading.isOver(), true);
});

test('whoever waits for a process that ends, or talks nonsense, waits no longer', async () => {
  for (const last of ['', 'no json\n']) {
    const { channel, say, loading } = child();
    say(made);
    channel.end(last);
    await loading.loaded;
    assert.equal(await loading.answer, null);
    assert.equal(String(await loading.key), 'key');
  }
});
