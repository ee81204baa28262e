import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readStream } from '../../src/messaging/redis/read-stream.ts';
import { treeKeys } from '../../src/protocol/keys.ts';
import { stateFolder } from '../../src/protocol/state-folder.ts';
import { TestTree } from '../support/tree.ts';
import { adminOf } from '../support/tree-admin.ts';

const directive = (title: string) => ({ directive: title, tasks: [{ id: 'one', run: 'true' }] });

let tree: TestTree;
before(async () => {
  tree = await TestTree.create({ servants: 1, config: { sandbox: 'none' } });
});
after(() => tree.dispose());

const works = async (title: string) => {
  const { code, view } = await tree.submitAndWait(directive(title));
  assert.deepEqual([code, view.state], [0, 'completed']);
};

test('an older copy of Redis’s files, put back while nothing ran, is alarmed at the next start', async () => {
  const { root, redis } = stateFolder(tree.folder);
  const copy = join(root, 'older');
  await tree.up();
  await works('before the copy');
  assert.equal((await tree.cli(['down'])).code, 0);
  await cp(redis, copy, { recursive: true });
  await tree.up();
  await works('after the copy');
  assert.equal((await tree.status()).redis.reason, null);
  assert.equal((await tree.cli(['down'])).code, 0);

  await rm(redis, { recursive: true });
  await cp(copy, redis, { recursive: true });
  await tree.up();
  for (;;) {
    const { redis: found } = await tree.status();
    if (found.reason === null) continue;
    assert.match(found.reason, /lost data: \w+: was at commit \d+, Redis is at \d+/);
    break;
  }
  const admin = await adminOf(tree.folder, tree.portBase);
  const { tree: id } = await tree.status();
  const key = treeKeys(id).edge('incident_sage', 'manager', 'high');
  const raised = async () => {
    let text = '';
    for await (const { fields } of readStream(admin, key)) text += JSON.stringify([...fields]);
    return text;
  };
  // Something else may stand there already.
  while (!/manager:redis:data_lost/.test(await raised())) {
    await admin.command(['XREAD', 'BLOCK', '500', 'STREAMS', key, '$'], { timeoutMs: 60_000 });
  }
  assert.match(await raised(), /critical/);
  admin.close();
  await works('after the loss');
  assert.equal((await tree.cli(['down'])).code, 0);

  // Known now, and not told again.
  await tree.up();
  assert.equal((await tree.status()).redis.reason, null);
});
