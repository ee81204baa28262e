import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import { Authority } from '../../../src/identity/authority.ts';
import { createKeyPair, proveKey, spkiOf } from '../../../src/identity/key-proof.ts';
import type { RedisLogins, ToChild } from '../../../src/protocol/bootstrap.ts';
import { defaultConfig } from '../../../src/protocol/config.ts';
import { readJsonLines } from '../../../src/supervision/elders/json-lines.ts';
import { challengeKey } from '../../../src/supervision/elders/key-challenge.ts';
import { followLoading } from '../../../src/supervision/elders/loading.ts';
import type { ProcessExit } from '../../../src/supervision/elders/running-process.ts';
import type { SpawnedElder } from '../../../src/supervision/elders/spawn-elder.ts';
import { introduce } from '../../../src/supervision/elders/start-protocol.ts';

const name = 'incident_sage';
const password = 'the-password';
const credentials = { [name]: { incarnation: 2, username: 'user', password } };
const authority = await Authority.create('tree1');
const identity = { tree: 'tree1', name: `spare.${name}`, incarnation: 0 };

/** A process that waits for its orders; `heard` is what it has been told so far. */
function child() {
  const [channel, far] = duplexPair();
  const exited = Promise.withResolvers<ProcessExit>();
  const lines = readJsonLines(channel, 65_536);
  const spawned = {
    ...{ name: identity.name, walled: false, channel, lines, loading: followLoading(lines) },
    identity: { pid: 0, startTime: '0', bootId: '' } as SpawnedElder['identity'],
    exited: exited.promise,
    kill: () => {},
  };
  const heard = readJsonLines(far, 1_000_000);
  const say = (line: object) => far.write(`${JSON.stringify(line)}\n`);
  const hear = async () => (await heard.next()).value as ToChild;
  return { spawned, say, hear, end: () => exited.resolve({ code: 1, signal: null }) };
}

async function provenSpare(keys = createKeyPair()) {
  const spare = child();
  const proving = challengeKey(spare.spawned, identity);
  const challenge = await spare.hear();
  assert.equal(challenge.kind, 'challenge');
  spare.say({ kind: 'loaded' });
  if (challenge.kind === 'challenge') spare.say(proveKey(keys, challenge));
  const proved = await proving;
  assert.deepEqual(proved, spkiOf(keys.publicKey));
  return { ...spare, proved: proved as Buffer };
}

function promote(spawned: SpawnedElder, proved: Buffer, logins: Promise<RedisLogins['credentials']>) {
  return introduce(spawned, {
    ...{ name, incarnation: 2, authority, proved, credentials: logins },
    order: {
      ...{ pid: 1, host: '127.0.0.1', port: 1, project: '/', config: defaultConfig, revoked: [] },
      ...{ redis: { host: '127.0.0.1', port: 1 }, relinquish: [], incarnations: { [name]: 2 } },
    },
    onReport: () => {},
    isCalm: () => true,
  });
}

test('a spare that has proved its key gets ready at once, and gets its password when its predecessor is fenced', async () => {
  const spare = await provenSpare();
  const fenced = Promise.withResolvers<RedisLogins['credentials']>();
  const promoted = promote(spare.spawned, spare.proved, fenced.promise);
  const order = await spare.hear();
  assert.ok(order.kind === 'start' && order.name === name && order.incarnation === 2);
  assert.ok(!JSON.stringify(order).includes(password));
  const probe = await spare.hear();
  assert.ok(probe.kind === 'probe');
  spare.say({ kind: 'alive', n: probe.n, reason: 'starting' });
  fenced.resolve(credentials);
  assert.deepEqual(await spare.hear(), { kind: 'credentials', credentials });
  assert.ok((await promoted) !== null);
});

test('one whose predecessor cannot be fenced gets no password', async () => {
  const spare = await provenSpare();
  const fenced = Promise.withResolvers<RedisLogins['credentials']>();
  const promoted = promote(spare.spawned, spare.proved, fenced.promise);
  assert.equal((await spare.hear()).kind, 'start');
  fenced.reject(new Error('not fenced'));
  await assert.rejects(promoted, /not fenced/);
});

test('one that does not answer once it has its orders has not become the elder', async () => {
  const spare = await provenSpare();
  const promoted = promote(spare.spawned, spare.proved, Promise.resolve(credentials));
  while ((await spare.hear()).kind !== 'credentials');
  // Who has it promoted ends it.
  spare.end();
  assert.equal(await promoted, null);
});

test('a key that is only said to be its own is no proof', async () => {
  const spare = child();
  const proving = challengeKey(spare.spawned, identity);
  const challenge = await spare.hear();
  const [own, foreign] = [createKeyPair(), createKeyPair()];
  spare.say({ kind: 'loaded' });
  assert.ok(challenge.kind === 'challenge');
  spare.say({ ...proveKey(own, challenge), publicKey: spkiOf(foreign.publicKey).toString('base64') });
  await assert.rejects(proving, { code: 'denied' });
});
