import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { redisUsername } from '../../../src/identity/redis-user.ts';
import {
  type ElderStatus,
  type ProcessRecord,
  processRecord,
  type SpareStatus,
} from '../../../src/protocol/process.ts';
import { isSameProcess } from '../../../src/telemetry/process-identity.ts';
import { appears } from '../../support/appears.ts';
import { SupervisedTree } from '../../support/supervised-tree.ts';

const name = 'incident_sage';
const quick = { supervision: { backoffFirst: '1ms' } };

describe('warm spares', () => {
  let tree: SupervisedTree;
  afterEach(() => tree.remove());

  const warm = () => tree.until(() => tree.status.spares[0]?.state === 'ready');

  test('one takes the place of an elder that died, and the next is warmed up', async () => {
    tree = await SupervisedTree.create({ spares: 1, ...quick });
    await tree.up();
    let spare: SpareStatus;
    let before: ElderStatus;
    // On a machine that stands still for a moment one may be too slow to be any gain; the next is not.
    do {
      await warm();
      spare = tree.status.spares[0] ?? assert.fail('no spare');
      assert.ok(spare.takes.includes(name) && spare.takes.includes('servant_2'));
      before = tree.elder(name);
      const restarts = before.restarts + 1;
      process.kill(before.pid as number, 'SIGKILL');
      await tree.until(() => tree.elder(name).restarts >= restarts && tree.elder(name).state === 'ready');
    } while (tree.elder(name).pid !== spare.pid && tree.elder(name).restarts < 4);
    assert.equal(tree.elder(name).pid, spare.pid);
    const redis = await tree.redis();
    const users = String(await redis.command(['ACL', 'USERS'])).split(',');
    redis.close();
    const { tree: id } = tree.status;
    assert.ok(!users.includes(redisUsername(id, name, before.incarnation)));
    assert.ok(users.includes(redisUsername(id, name, tree.elder(name).incarnation)));
    await warm();
    assert.notEqual(tree.status.spares[0]?.pid, spare.pid);
    await tree.manager.shutdown('drain');
    assert.deepEqual(tree.processes(), []);
  });

  test('one that dies is replaced, one that does not answer is passed over', async () => {
    tree = await SupervisedTree.create({ spares: 1, ...quick });
    await tree.up();
    await warm();
    const first = tree.status.spares[0]?.pid as number;
    process.kill(first, 'SIGKILL');
    await tree.until(() => tree.status.spares[0]?.restarts === 1);
    await warm();
    const stopped = tree.status.spares[0]?.pid as number;
    assert.notEqual(stopped, first);
    process.kill(stopped, 'SIGSTOP');
    process.kill(tree.pid(name), 'SIGKILL');
    await tree.until(() => tree.elder(name).restarts === 1 && tree.elder(name).state === 'ready');
    assert.notEqual(tree.pid(name), stopped);
    await tree.manager.shutdown('kill');
    assert.deepEqual(tree.processes(), []);
  });

  test('one of a manager that died is ended by the next, even if it cannot end by itself', async () => {
    tree = await SupervisedTree.create({ spares: 1 });
    await tree.upApart();
    const text = await appears(tree.folder.processRecord('spare.grand_elder'));
    const spare: ProcessRecord = processRecord.parse(JSON.parse(text));
    process.kill(spare.pid, 'SIGSTOP');
    await tree.killManager();
    assert.ok(isSameProcess(spare));
    await tree.up();
    assert.equal(isSameProcess(spare), false);
    await warm();
    assert.deepEqual(
      tree.status.elders.map(({ restarts }) => restarts),
      tree.status.elders.map(() => 0),
    );
  });

  test('without any, an elder that died gets a new process', async () => {
    tree = await SupervisedTree.create({ spares: 0 });
    await tree.up();
    assert.deepEqual(tree.status.spares, []);
    process.kill(tree.pid(name), 'SIGKILL');
    await tree.until(() => tree.elder(name).restarts === 1 && tree.elder(name).state === 'ready');
  });
});
