import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadAllCores, loadCore } from '../../src/elders/assemble.ts';
import { defaultConfig } from '../../src/protocol/config.ts';
import { roster } from '../../src/protocol/roster.ts';

test('an elder that loads its own core only has the one that it has where all are loaded', async () => {
  const coreOf = await loadAllCores();
  for (const { name } of roster(1)) {
    const alone = (await loadCore(name))(defaultConfig);
    assert.deepEqual(
      Object.keys(alone.handlers).sort(),
      Object.keys(coreOf(name, defaultConfig).handlers).sort(),
      name,
    );
  }
  await assert.rejects(loadCore('nobody'), { code: 'not_found' });
  assert.throws(() => coreOf('nobody', defaultConfig), { code: 'not_found' });
});
