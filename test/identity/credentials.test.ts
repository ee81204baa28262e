import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Authority } from '../../src/identity/authority.ts';
import { Credentials } from '../../src/identity/credentials.ts';
import { createKeyPair, type KeyPair, spkiOf } from '../../src/identity/key-proof.ts';
import type { TlsIdentity } from '../../src/identity/tls.ts';

const hour = 3_600_000;
const denied = { code: 'denied' };

describe('Credentials', () => {
  let authority: Authority;
  let pair: KeyPair;
  let first: string;
  before(async () => {
    authority = await Authority.create('tree-1');
    pair = createKeyPair();
    first = await issue();
  });

  async function issue(change: { name?: string; pair?: KeyPair; from?: Authority; now?: number } = {}) {
    const publicKey = spkiOf((change.pair ?? pair).publicKey);
    const name = change.name ?? 'task_sage';
    const now = change.now ?? Date.now();
    const request = { name, publicKey, addresses: [], lifetimeMs: hour, now };
    return (await (change.from ?? authority).issue(request)).certificatePem;
  }

  function hold(certificate = first): Credentials {
    const { caPem: ca } = authority;
    return new Credentials({
      tree: 'tree-1',
      name: 'task_sage',
      certificate,
      ca,
      privateKey: pair.privateKey,
    });
  }

  test('gives the present certificate with its key and authority', () => {
    const { certificate, key, ca } = hold().current();
    assert.equal(certificate, first);
    assert.match(key, /^-----BEGIN PRIVATE KEY-----/);
    assert.equal(ca, authority.caPem);
  });

  test('hands a renewed certificate to its listeners until they leave', async () => {
    const credentials = hold();
    const seen: TlsIdentity[] = [];
    const leave = credentials.onReplace((identity) => seen.push(identity));
    const second = await issue();
    credentials.replace(second);
    leave();
    credentials.replace(await issue());
    assert.deepEqual(
      seen.map((identity) => identity.certificate),
      [second],
    );
    assert.notEqual(credentials.current().certificate, second);
  });

  test('is due for renewal at half of the life that is left, however short that is', async () => {
    const publicKey = spkiOf(pair.publicKey);
    for (const lifetimeMs of [4_000, 60_000, hour]) {
      const issued = await authority.issue({ name: 'task_sage', publicKey, addresses: [], lifetimeMs });
      const credentials = hold(issued.certificatePem);
      const now = Date.now();
      assert.equal(credentials.expiresAt(), issued.notAfter);
      assert.ok(credentials.renewAt() > now, 'renewing at once, for ever, would be a storm');
      assert.ok(credentials.renewAt() <= (now + issued.notAfter) / 2);
    }
  });

  const bad: Record<string, () => Promise<string>> = {
    'of another key': () => issue({ pair: createKeyPair() }),
    'of another name': () => issue({ name: 'grand_elder' }),
    'of another authority': async () => issue({ from: await Authority.create('tree-1') }),
    'of another tree': async () => issue({ from: await Authority.create('tree-2') }),
    'that is over': () => issue({ now: Date.now() - 2 * hour }),
    'that is none': async () => 'rubbish',
  };
  for (const [kind, make] of Object.entries(bad)) {
    test(`keeps what it has when it gets a certificate ${kind}`, async () => {
      const credentials = hold();
      credentials.onReplace(() => assert.fail('nothing was replaced'));
      const certificate = await make();
      assert.throws(() => credentials.replace(certificate), denied);
      assert.equal(credentials.current().certificate, first);
      assert.throws(() => hold(certificate), denied);
    });
  }
});
