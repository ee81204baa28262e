import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Authority } from '../../../src/identity/authority.ts';
import { TreeCertificates } from '../../../src/supervision/certificates/tree-certificates.ts';

async function registerPath(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'elders-register-'));
  context.after(() => rm(folder, { recursive: true }));
  return join(folder, 'certificates.json');
}

test('what was revoked stays revoked for the next manager, until it is over', async (context) => {
  const path = await registerPath(context);
  const authority = await Authority.create('tree-1');
  const certificates = await TreeCertificates.open(authority, path);
  const issue = (name: string, lifetimeMs: number, incarnation: number) =>
    authority.issueWithKey({ name, addresses: [], lifetimeMs, incarnation });
  const first = await issue('servant_1', 3_600_000, 1);
  const short = await issue('servant_1', -1_000, 1);
  const present = await issue('servant_1', 3_600_000, 2);
  const other = await issue('servant_2', 3_600_000, 1);
  const { version } = certificates;
  const revoked = await certificates.revoke(
    ({ name, incarnation }) => name === 'servant_1' && incarnation === 1,
    'stolen',
  );
  assert.deepEqual(revoked, [first.serial]);
  assert.equal(certificates.version, version + 1);
  assert.deepEqual(await certificates.revoke(({ name }) => name === 'nobody', 'x'), []);
  assert.equal(certificates.version, version + 1, 'nobody need be told of nothing');

  const next = await TreeCertificates.open(await Authority.create('tree-1'), path);
  assert.deepEqual(next.trust.revoked, [first.serial]);
  const states = next.register.rows.map(({ serial, state }) => [serial, state]);
  assert.deepEqual(
    new Map(states as [string, string][]),
    new Map([
      [first.serial, 'revoked'],
      [short.serial, 'expired'],
      [present.serial, 'current'],
      [other.serial, 'current'],
    ]),
  );
});

test('a damaged register is no empty one', async (context) => {
  const path = await registerPath(context);
  await writeFile(path, '{"certificates":[{"serial"');
  const open = TreeCertificates.open(await Authority.create('tree-1'), path);
  await assert.rejects(open, { code: 'config_invalid', message: /which certificates were revoked/ });
});

test('everyone is waited for, and who has ended no more', async (context) => {
  const certificates = await TreeCertificates.open(
    await Authority.create('tree-1'),
    await registerPath(context),
  );
  const [a, b] = [certificates.hold('servant_1', 1, true), certificates.hold('servant_2', 1, true)];
  certificates.trustChanged();
  const { version } = certificates;
  let done = false;
  const all = certificates
    .everyone(({ trustVersion }) => trustVersion >= version, AbortSignal.timeout(20_000))
    .then(() => (done = true));
  certificates.confirm(a, { trustVersion: version });
  await certificates.changed(AbortSignal.timeout(1)).catch(() => undefined);
  assert.equal(done, false);
  certificates.release(b);
  await all;
});
