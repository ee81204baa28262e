import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Authority } from '../../src/identity/authority.ts';
import { createKeyPair, spkiOf } from '../../src/identity/key-proof.ts';

const run = promisify(execFile);
const hour = 3_600_000;

describe('Authority', () => {
  let folder: string;
  let authority: Authority;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'elders-authority-'));
    authority = await Authority.create('tree-1');
  });
  after(() => rm(folder, { recursive: true }));

  test('issues a certificate that says what was asked and no more', async () => {
    const pair = createKeyPair();
    const now = Date.parse('2026-05-01T12:00:00.500Z');
    const issued = await authority.issue({
      name: 'task_sage',
      publicKey: spkiOf(pair.publicKey),
      addresses: ['127.0.0.1', '::1', 'sage.example', '127.0.0.1', 'localhost'],
      lifetimeMs: hour,
      now,
    });
    const certificate = new X509Certificate(issued.certificatePem);
    assert.equal(
      certificate.subjectAltName,
      'URI:spiffe://tree-1/elder/task_sage, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:sage.example',
    );
    assert.equal(certificate.subject, 'CN=task_sage');
    assert.equal(certificate.ca, false);
    assert.deepEqual(certificate.keyUsage?.toSorted(), ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    assert.ok(certificate.checkPrivateKey(pair.privateKey));
    assert.ok(certificate.verify(new X509Certificate(authority.caPem).publicKey));
    assert.equal(certificate.serialNumber, issued.serial);
    assert.equal(issued.notBefore, Date.parse('2026-05-01T11:59:00Z'));
    assert.equal(issued.notAfter, Date.parse('2026-05-01T13:00:00Z'));
    assert.equal(certificate.validFromDate.getTime(), issued.notBefore);
    assert.equal(certificate.validToDate.getTime(), issued.notAfter);
    assert.ok(issued.certificatePem.endsWith('-----END CERTIFICATE-----\n'));
  });

  test('openssl accepts it strictly, for clients and for servers, and shows critical key usage', async () => {
    const issued = await authority.issueWithKey({
      name: 'redis',
      addresses: ['127.0.0.1'],
      lifetimeMs: hour,
    });
    const [ca, leaf] = [join(folder, 'verify-ca.pem'), join(folder, 'verify-leaf.pem')];
    await writeFile(ca, authority.caPem);
    await writeFile(leaf, issued.certificatePem);
    for (const purpose of ['sslclient', 'sslserver']) {
      const { stdout } = await run('openssl', [
        ...['verify', '-x509_strict', '-CAfile', ca, '-purpose', purpose, '-verify_ip', '127.0.0.1', leaf],
      ]);
      assert.match(stdout, /: OK$/m);
    }
    const { stdout } = await run('openssl', ['x509', '-in', leaf, '-noout', '-text']);
    assert.match(stdout, /Key Usage: critical\s+Digital Signature\n/);
    assert.match(stdout, /Basic Constraints: critical\s+CA:FALSE\n/);
    const foreign = join(folder, 'verify-foreign.pem');
    await writeFile(foreign, (await Authority.create('tree-1')).caPem);
    await assert.rejects(run('openssl', ['verify', '-CAfile', foreign, leaf]), /verification failed/);
  });

  test('gives a private key that belongs to the certificate', async () => {
    const issued = await authority.issueWithKey({ name: 'manager', addresses: [], lifetimeMs: hour });
    const certificate = new X509Certificate(issued.certificatePem);
    assert.ok(certificate.checkPrivateKey(createPrivateKey(issued.privateKeyPem)));
  });

  test('gives every certificate a serial number of its own', async () => {
    const serials = new Set<string>();
    for (let count = 0; count < 20; count += 1) {
      const { serial } = await authority.issueWithKey({ name: 'manager', addresses: [], lifetimeMs: hour });
      assert.match(serial, /^[4-7][0-9A-F]{31}$/);
      serials.add(serial);
    }
    assert.equal(serials.size, 20);
  });

  test('never issues beyond its own end', async () => {
    const issued = await authority.issueWithKey({ name: 'manager', addresses: [], lifetimeMs: 1e12 });
    assert.equal(issued.notAfter, new X509Certificate(authority.caPem).validToDate.getTime());
  });

  for (const name of ['', 'a/b', 'task_sage.evil', '../x', 'Task', 'x\ny', 'a'.repeat(64)]) {
    test(`refuses the name ${JSON.stringify(name.slice(0, 20))}`, async () => {
      const request = { name, addresses: [], lifetimeMs: hour };
      await assert.rejects(authority.issueWithKey(request), { code: 'denied' });
    });
  }

  for (const address of ['', 'a b', 'x, URI:spiffe://tree-1/elder/redis', 'x\0y', '-x', 'http://x']) {
    test(`refuses the address ${JSON.stringify(address)}`, async () => {
      const request = { name: 'redis', addresses: [address], lifetimeMs: hour };
      await assert.rejects(authority.issueWithKey(request), { code: 'config_invalid' });
    });
  }

  test('refuses keys that are not P-256', async () => {
    const others = [
      generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey,
      generateKeyPairSync('ed25519').publicKey,
      generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey,
    ];
    for (const publicKey of [...others.map(spkiOf), Buffer.from('rubbish'), Buffer.alloc(0)]) {
      const request = { name: 'redis', addresses: [], lifetimeMs: hour, publicKey };
      await assert.rejects(authority.issue(request), { code: 'denied' });
    }
  });

  test('refuses a malformed tree id', async () => {
    for (const tree of ['', 'a/b', 'a.b', 'A', 'x y']) {
      await assert.rejects(Authority.create(tree), { code: 'denied' });
    }
  });
});

describe('Authority on disk', () => {
  let root: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'elders-authority-'));
  });
  after(() => rm(root, { recursive: true }));

  test('is the same after it was opened again, and private', async () => {
    const folder = join(root, 'again', 'secret');
    const first = await Authority.open(folder, 'tree-1');
    const second = await Authority.open(folder, 'tree-1');
    assert.equal(first.caPem, second.caPem);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    assert.deepEqual(await readdir(folder), ['ca.pem']);
    assert.equal((await stat(join(folder, 'ca.pem'))).mode & 0o777, 0o600);
    assert.ok(!first.caPem.includes('PRIVATE'));
    const issued = await second.issueWithKey({ name: 'redis', addresses: [], lifetimeMs: hour });
    assert.ok(new X509Certificate(issued.certificatePem).verify(new X509Certificate(first.caPem).publicKey));
  });

  test('is one, however many make it at the same time', async () => {
    const folder = join(root, 'race');
    const all = await Promise.all(Array.from({ length: 8 }, () => Authority.open(folder, 'tree-1')));
    assert.equal(new Set(all.map((authority) => authority.caPem)).size, 1);
    assert.deepEqual(await readdir(folder), ['ca.pem']);
  });

  test('is refused when it belongs to another tree', async () => {
    const folder = join(root, 'other');
    await Authority.open(folder, 'tree-1');
    await assert.rejects(Authority.open(folder, 'tree-2'), { code: 'denied' });
  });

  test('is refused when other users can read it', async () => {
    const folder = join(root, 'open');
    await Authority.open(folder, 'tree-1');
    await chmod(join(folder, 'ca.pem'), 0o640);
    await assert.rejects(Authority.open(folder, 'tree-1'), { code: 'denied' });
  });

  test('is refused, not replaced, when it is damaged', async () => {
    const folder = join(root, 'damaged');
    await Authority.open(folder, 'tree-1');
    const path = join(folder, 'ca.pem');
    const whole = await readFile(path, 'utf8');
    const foreign = (await Authority.create('tree-1')).caPem;
    const keyOnly = whole.slice(0, whole.indexOf('-----BEGIN CERTIFICATE'));
    for (const text of ['', 'rubbish', keyOnly, keyOnly + foreign]) {
      await writeFile(path, text);
      await assert.rejects(Authority.open(folder, 'tree-1'), { code: 'config_invalid' });
      assert.equal(await readFile(path, 'utf8'), text);
    }
  });
});
