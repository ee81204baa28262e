import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faults, faulty, startFaultyTree } from '../../../bench/faults/faulty-tree.ts';

const others = ['grand_elder', 'knowledge_sage', 'rag_sage', 'incident_sage'];

for (const fault of faults) {
  test(`others are answered while one elder goes wrong: ${fault}`, async () => {
    const { tree, goWrong, recover } = await startFaultyTree(fault);
    try {
      const pids = () => others.map((name) => tree.elder(name).pid);
      const [before, { incarnation }] = [pids(), tree.elder(faulty)];
      goWrong();
      for (let round = 0; round < 5; round += 1) await Promise.all(others.map((name) => tree.ping(name)));
      if (fault === 'leak') {
        // At its limit it is replaced, which the others do not notice either.
        await tree.until(() => tree.elder(faulty).incarnation > incarnation);
        await Promise.all(others.map((name) => tree.ping(name)));
        assert.equal(tree.elder(faulty).restarts, 1);
      } else assert.equal(tree.elder(faulty).incarnation, incarnation, 'the fault still holds');
      assert.deepEqual(pids(), before);
    } finally {
      if (fault === 'hang') recover();
      await tree.close();
    }
  });
}
