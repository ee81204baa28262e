import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { en } from '../../../../src/cli/text/en.ts';
import { statusText } from '../../../../src/cli/tree/status-text.ts';
import { adminPassword, adminUsername } from '../../../../src/supervision/redis/redis-files.ts';
import { readAudit } from '../../../../src/telemetry/audit/read-audit.ts';
import { startTestRedis, type TestRedis } from '../../../support/redis.ts';
import { SupervisedTree } from '../../../support/supervised-tree.ts';

let redis: TestRedis;
let tree: SupervisedTree;
before(async () => {
  redis = await startTestRedis();
  const { cert, key, ca } = await redis.tlsOf('manager');
  const { host, port } = redis.endpoint;
  const url = `rediss://${adminUsername}:${await adminPassword(redis.folder)}@${host}:${port}`;
  tree = await SupervisedTree.create({
    redis: { url, ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' },
  });
  for (const [name, text] of Object.entries({ ca, cert, key })) {
    await writeFile(`${tree.project}/${name}.pem`, text, { mode: 0o600 });
  }
  // Somebody else's user of this Redis, who reaches into every key.
  await redis.admin.command(['ACL', 'SETUSER', 'app', 'on', '>app', '~*', '+@all']);
});
after(async () => {
  await tree.remove();
  await redis.stop();
});

test('a Redis of the user’s that is open is refused with the reason, and nothing is left', async () => {
  await assert.rejects(tree.up(), {
    code: 'redis_refused',
    reason: /its user app reaches into the tree.*--allow-insecure-redis/,
  });
  assert.deepEqual(tree.processes(), []);
});

test('with the user’s word it runs, and every status and the audit log say what is open', async () => {
  const { config } = tree.options;
  await tree.up({ config: { ...config, allowInsecureRedis: true } });
  assert.match(tree.status.redis.insecure.join('\n'), /user app reaches/);
  assert.match(statusText(tree.status, en, Date.now()), /INSECURE REDIS: its user app reaches/);
  await tree.manager.shutdown('drain');
  const records = await readAudit(tree.folder.audit, { kind: 'configuration' });
  assert.ok(records.some(({ event, reason }) => event === 'insecure_redis' && /user app/.test(reason ?? '')));
});

test('once closed it is served without that word', async () => {
  await redis.admin.command(['ACL', 'DELUSER', 'app']);
  await tree.up();
  assert.deepEqual(tree.status.redis.insecure, []);
  await tree.manager.shutdown('drain');
});
