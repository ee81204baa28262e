import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Authority, type Issue } from '../../src/identity/authority.ts';
import { Credentials } from '../../src/identity/credentials.ts';
import { createKeyPair, spkiOf } from '../../src/identity/key-proof.ts';
import { Trust } from '../../src/identity/trust.ts';

const tree = 'tree-1';
const lifetimeMs = 3_600_000;

describe('the replacement of a root', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'elders-rotate-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const open = () => Authority.open(folder, tree);
  const issue = (authority: Authority) =>
    authority.issueWithKey({ name: 'redis', addresses: [], lifetimeMs }).then(({ certificatePem }) => {
      return new X509Certificate(certificatePem);
    });
  /** Tells whether everybody who goes by this authority's roots accepts a certificate. */
  const accepts = (authority: Authority, certificate: X509Certificate) => {
    try {
      new Trust({ ca: authority.caPem, revoked: [] }).require(certificate);
      return true;
    } catch {
      return false;
    }
  };

  test('goes on where it stood, whenever the manager died', async () => {
    const first = await open();
    const old = await issue(first);
    const { fingerprint } = first;
    await first.introduceSuccessor();
    const introduced = await open();
    assert.deepEqual([introduced.rotation, introduced.fingerprint], ['introduced', fingerprint]);
    assert.equal(introduced.caPem, first.caPem);
    await introduced.introduceSuccessor();
    assert.equal((await open()).caPem, first.caPem, 'no third root');
    const late = await issue(introduced);
    await introduced.switchToSuccessor();
    const switched = await open();
    assert.equal(switched.rotation, 'switched');
    assert.notEqual(switched.fingerprint, fingerprint);
    assert.equal(switched.caPem, first.caPem, 'the same are trusted');
    for (const certificate of [old, late, await issue(switched)]) assert.ok(accepts(switched, certificate));
    await assert.rejects(switched.introduceSuccessor(), { code: 'conflict' });
    await switched.dropPredecessor();
    const dropped = await open();
    assert.deepEqual([dropped.rotation, dropped.fingerprint], ['none', switched.fingerprint]);
    assert.deepEqual([accepts(dropped, old), accepts(dropped, await issue(dropped))], [false, true]);
    assert.deepEqual(await readdir(folder), ['ca.pem']);
  });

  test('is still before the switch when the manager died in the middle of it', async () => {
    const authority = await open();
    await authority.introduceSuccessor();
    // The one before is noted first, and the new one then takes its place.
    await writeFile(join(folder, 'ca-old.pem'), authority.caPem, { mode: 0o600 });
    const found = await open();
    assert.deepEqual([found.rotation, found.caPem], ['introduced', authority.caPem]);
    await found.switchToSuccessor();
    assert.equal((await open()).rotation, 'switched');
  });

  test('leaves no key of the old root behind', async () => {
    const authority = await open();
    await authority.introduceSuccessor();
    await authority.switchToSuccessor();
    assert.doesNotMatch(await readFile(join(folder, 'ca-old.pem'), 'utf8'), /PRIVATE KEY/);
    await assert.rejects(authority.switchToSuccessor(), { code: 'conflict' });
  });

  test('reaches credentials: both roots, then the new certificate and key, then the new root only', async () => {
    const authority = await open();
    const pair = createKeyPair();
    const make = async (publicKey: Buffer) =>
      (await authority.issue({ name: 'task_sage', addresses: [], lifetimeMs, publicKey })).certificatePem;
    const certificate = await make(spkiOf(pair.publicKey));
    const { privateKey } = pair;
    const mine = { tree, name: 'task_sage', certificate, privateKey };
    const credentials = new Credentials({ ...mine, ca: authority.caPem });
    const shown: string[] = [];
    credentials.onReplace(({ ca }) => shown.push(ca));
    await authority.introduceSuccessor();
    credentials.replaceTrust({ ca: authority.caPem, revoked: [] });
    await authority.switchToSuccessor();
    const next = createKeyPair();
    credentials.replace(await make(spkiOf(next.publicKey)), next.privateKey);
    const both = authority.caPem;
    await authority.dropPredecessor();
    credentials.replaceTrust({ ca: authority.caPem, revoked: [] });
    assert.deepEqual(shown, [both, both, authority.caPem]);
    const { key } = credentials.current();
    assert.ok(new X509Certificate(credentials.current().certificate).checkPrivateKey(createPrivateKey(key)));
  });

  test('is refused by credentials that would lock themselves out', async () => {
    const [authority, other] = [await open(), await Authority.create(tree)];
    const issued = await authority.issueWithKey({ name: 'task_sage', addresses: [], lifetimeMs });
    const { certificatePem: certificate, privateKeyPem, serial } = issued;
    const privateKey = createPrivateKey(privateKeyPem);
    const mine = { tree, name: 'task_sage', certificate, privateKey, ca: authority.caPem };
    const credentials = new Credentials(mine);
    credentials.onTrust(() => assert.fail('nothing was changed'));
    for (const trust of [
      { ca: other.caPem, revoked: [] },
      { ca: authority.caPem, revoked: [serial] },
      { ca: '', revoked: [] },
      { ca: authority.caPem.replace('MII', 'XXX'), revoked: [] },
    ]) {
      assert.throws(() => credentials.replaceTrust(trust), { code: 'denied' });
    }
    assert.equal(credentials.trust.ca, authority.caPem);
  });

  test('is known to whoever listens for certificates', async () => {
    const authority = await open();
    const issues: Issue[] = [];
    authority.onIssue((each) => issues.push(each));
    const { serial } = await authority.issueWithKey({ name: 'redis', addresses: [], lifetimeMs });
    assert.equal(issues[0]?.serial, serial);
    assert.match(issues[0]?.subjectAltName ?? '', /^URI:spiffe:\/\/tree-1\/elder\/redis, /);
  });
});
