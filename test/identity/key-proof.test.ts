import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import {
  createKeyPair,
  type KeyPair,
  proveKey,
  spkiOf,
  verifyKeyProof,
} from '../../src/identity/key-proof.ts';
import type { Challenge, KeyProof } from '../../src/protocol/bootstrap.ts';

const challenge: Challenge = {
  kind: 'challenge',
  tree: 'tree-1',
  name: 'task_sage',
  incarnation: 7,
  nonce: 'bm9uY2U',
};
const pair = createKeyPair();
const denied = { code: 'denied' };

test('a proof gives the public key whose possession it proves', () => {
  const proof = JSON.parse(JSON.stringify(proveKey(pair, challenge))) as KeyProof;
  assert.deepEqual(verifyKeyProof(challenge, proof), spkiOf(pair.publicKey));
});

for (const [field, value] of Object.entries({
  tree: 'tree-2',
  name: 'grand_elder',
  incarnation: 8,
  nonce: 'x',
})) {
  test(`a proof for another ${field} is refused`, () => {
    const proof = proveKey(pair, { ...challenge, [field]: value });
    assert.throws(() => verifyKeyProof(challenge, proof), denied);
  });
}

test('moving a character from one field to the next is seen', () => {
  const proof = proveKey(pair, { ...challenge, tree: 'tree-1t', name: 'ask_sage' });
  assert.throws(() => verifyKeyProof(challenge, proof), denied);
});

test('the public key of somebody else is refused', () => {
  const proof = { ...proveKey(pair, challenge), publicKey: proveKey(createKeyPair(), challenge).publicKey };
  assert.throws(() => verifyKeyProof(challenge, proof), denied);
});

test('a signature of the same fields without the prefix is refused', () => {
  const { tree, name, incarnation, nonce } = challenge;
  const { publicKey } = proveKey(pair, challenge);
  const text = Buffer.from(JSON.stringify([tree, name, incarnation, nonce, publicKey]));
  const signature = sign('sha256', text, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' });
  const proof: KeyProof = { kind: 'key', publicKey, signature: signature.toString('base64') };
  assert.throws(() => verifyKeyProof(challenge, proof), denied);
});

test('keys that are not P-256 are refused', () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'P-384' }) as KeyPair;
  assert.throws(() => verifyKeyProof(challenge, proveKey(other, challenge)), denied);
});

test('rubbish is refused', () => {
  const good = proveKey(pair, challenge);
  const cases: unknown[] = [
    {},
    { ...good, signature: '' },
    { ...good, publicKey: '' },
    { ...good, signature: 1 },
    { ...good, publicKey: ['x'] },
    { ...good, signature: `${good.signature.slice(0, -8)}AAAAAAA=` },
  ];
  for (const proof of cases) assert.throws(() => verifyKeyProof(challenge, proof as KeyProof), denied);
});
