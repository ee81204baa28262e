import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createRedisUser, redisUsername } from '../../src/identity/redis-user.ts';

test('a user is named after tree, principal and incarnation', () => {
  assert.equal(redisUsername('tree-1', 'servant_2', 7), 'tree-1.servant_2.7');
});

test('a name that would read as another user is refused', () => {
  for (const name of ['servant_2.7', 'a b', 'a\r\nACL', '']) {
    assert.throws(() => createRedisUser('tree-1', name, 1), { code: 'denied' });
  }
});

test('a password is 32 random bytes and its hash is what Redis compares', () => {
  const { credential, passwordHash } = createRedisUser('tree-1', 'task_sage', 3);
  assert.equal(credential.incarnation, 3);
  assert.equal(Buffer.from(credential.password, 'base64url').length, 32);
  assert.equal(passwordHash, createHash('sha256').update(credential.password).digest('hex'));
  assert.notEqual(createRedisUser('tree-1', 'task_sage', 3).credential.password, credential.password);
});
