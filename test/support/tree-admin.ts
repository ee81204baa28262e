import { Authority } from '../../src/identity/authority.ts';
import { redisPortOffset } from '../../src/protocol/roster.ts';
import { stateFolder } from '../../src/protocol/state-folder.ts';
import { loadTreeId } from '../../src/supervision/manager/tree-identity.ts';
import { RedisAdmin } from '../../src/supervision/redis/redis-admin.ts';
import { adminPassword, adminUsername } from '../../src/supervision/redis/redis-files.ts';

/** Connects as the admin to the managed Redis of a tree that runs in a folder; the test closes it. */
export async function adminOf(project: string, portBase: number): Promise<RedisAdmin> {
  const folder = stateFolder(project);
  const tree = await loadTreeId(folder.tree);
  const authority = await Authority.open(folder.secret, tree);
  const issued = await authority.issueWithKey({ name: 'manager', addresses: [], lifetimeMs: 3_600_000 });
  const tls = { cert: issued.certificatePem, key: issued.privateKeyPem, ca: authority.caPem };
  return RedisAdmin.connect({
    tree,
    servants: 2,
    endpoint: { host: '127.0.0.1', port: portBase + redisPortOffset, ca: authority.caPem },
    credential: { username: adminUsername, password: await adminPassword(folder) },
    tls: () => tls,
  });
}
