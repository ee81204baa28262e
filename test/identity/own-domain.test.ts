import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { Authority } from '../../src/identity/authority.ts';
import { Credentials } from '../../src/identity/credentials.ts';
import { createKeyPair, spkiOf } from '../../src/identity/key-proof.ts';
import { peerName } from '../../src/identity/spiffe.ts';
import { ElderError } from '../../src/protocol/errors.ts';
import { mayPerform, permissionFor } from '../../src/protocol/permissions.ts';

test('a sage’s own domain is that of the name in its certificate, and it can run under no other name', async () => {
  const tree = 'test';
  const authority = await Authority.create(tree);
  const pair = createKeyPair();
  const request = { name: 'knowledge_sage', addresses: [], lifetimeMs: 60_000 };
  const { certificatePem } = await authority.issue({ ...request, publicKey: spkiOf(pair.publicKey) });
  const name = peerName(new X509Certificate(certificatePem), tree);
  assert.equal(permissionFor(name, 'sage.knowledge.store'), 'sage.knowledge.*');
  assert.equal(permissionFor(name, 'sage.task.assign'), undefined);
  assert.equal(mayPerform(name, 'sage.task.create').allowed, false);
  const own = { tree, certificate: certificatePem, ca: authority.caPem, privateKey: pair.privateKey };
  assert.equal(new Credentials({ ...own, name }).current().certificate, certificatePem);
  assert.throws(
    () => new Credentials({ ...own, name: 'task_sage' }),
    (error) => error instanceof ElderError && error.code === 'denied',
  );
});
