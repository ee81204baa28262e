import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import type { PeerCertificate } from 'node:tls';
import { peerName, requirePeer, spiffeUri } from '../../src/identity/spiffe.ts';
import { badIdentities, forge, stolenAuthority } from './forged-certificate.ts';

const denied = { code: 'denied' };

function peer(subjectaltname: string): PeerCertificate {
  return { subjectaltname } as PeerCertificate;
}

test('the URI names tree and principal', () => {
  assert.equal(spiffeUri('tree-1', 'servant_12'), 'spiffe://tree-1/elder/servant_12');
});

test('malformed trees and names have no URI', () => {
  for (const tree of ['', 'a/b', 'a.b', 'A', ' a', 'a\n']) {
    assert.throws(() => spiffeUri(tree, 'redis'), denied);
  }
  for (const name of ['', 'a/b', 'a.b', 'A', '1a', 'a\n', '__proto__']) {
    assert.throws(() => spiffeUri('tree-1', name), denied);
  }
});

test('the name of a genuine certificate is read in both forms that Node gives', async () => {
  const { authority } = await stolenAuthority('tree-1');
  const request = { name: 'task_sage', addresses: ['127.0.0.1', '::1'], lifetimeMs: 60_000 };
  const certificate = new X509Certificate((await authority.issueWithKey(request)).certificatePem);
  assert.equal(peerName(certificate, 'tree-1'), 'task_sage');
  assert.equal(peerName(certificate.toLegacyObject() as PeerCertificate, 'tree-1'), 'task_sage');
  requirePeer(certificate, { tree: 'tree-1', name: 'task_sage' });
});

test('a certificate that does not name this principal of this tree is refused', async () => {
  const stolen = await stolenAuthority('tree-1');
  const refusedByTls = /^(self-signed|foreign|expired|not yet|signed by)/;
  for (const [kind, { certificate }] of await badIdentities(stolen)) {
    if (refusedByTls.test(kind)) continue;
    const parsed = new X509Certificate(certificate);
    assert.throws(() => requirePeer(parsed, { tree: 'tree-1', name: 'task_sage' }), denied, kind);
    const legacy = parsed.toLegacyObject() as PeerCertificate;
    assert.throws(() => requirePeer(legacy, { tree: 'tree-1', name: 'task_sage' }), denied, kind);
  }
});

test('names that cannot be told apart with certainty are refused as a whole', () => {
  const good = 'URI:spiffe://tree-1/elder/task_sage';
  assert.equal(peerName(peer(`DNS:localhost, ${good}`), 'tree-1'), 'task_sage');
  for (const text of [
    `${good}, `,
    `${good},DNS:x`,
    `${good} DNS:x, "`,
    `DNS:"x, ${good}`,
    `, ${good}`,
    'x',
  ]) {
    assert.throws(() => peerName(peer(text), 'tree-1'), denied, text);
  }
});

test('no certificate is refused', () => {
  assert.throws(() => peerName({} as PeerCertificate, 'tree-1'), denied);
});

test('a name of another kind in the certificate does not disturb', async () => {
  const stolen = await stolenAuthority('tree-1');
  const { certificate } = await forge({
    issuer: stolen,
    names: [
      { type: 'dn', value: 'CN=x, O="a, b"' },
      { type: 'url', value: 'spiffe://tree-1/elder/task_sage' },
    ],
  });
  assert.equal(peerName(new X509Certificate(certificate), 'tree-1'), 'task_sage');
});
