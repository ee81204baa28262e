import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskPassword, maskSecrets } from '../../../src/cli/config/mask-secrets.ts';
import { settings } from '../../../src/cli/config/settings.ts';

test('every setting has a variable of its own and a description', () => {
  const variables = settings().map(({ variable }) => variable);
  assert.equal(new Set(variables).size, variables.length);
  for (const { path, description } of settings()) assert.notEqual(description, '', path.join('.'));
  for (const expected of ['ELDERS_PORT_BASE', 'ELDERS_TASKS_LEASE', 'ELDERS_REDIS', 'ELDERS_REDIS_URL']) {
    assert.ok(variables.includes(expected), expected);
  }
});

test('passwords in addresses are masked, wherever they stand', () => {
  assert.equal(maskPassword('rediss://admin:s3cret@host:6380/0'), 'rediss://admin:***@host:6380/0');
  assert.equal(maskPassword('rediss://:s3cret@host'), 'rediss://:***@host');
  assert.equal(maskPassword('rediss://admin:a@b@host'), 'rediss://admin:***@host');
  assert.equal(maskPassword('rediss://host:6380'), 'rediss://host:6380');
  assert.deepEqual(maskSecrets({ redis: { url: 'rediss://a:b@h' }, list: ['rediss://a:b@h', 1, null] }), {
    redis: { url: 'rediss://a:***@h' },
    list: ['rediss://a:***@h', 1, null],
  });
});
