import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { replyArray } from '../../src/messaging/redis/replies.ts';
import type { ElderDescription } from '../../src/protocol/operations.ts';
import { stateFolder } from '../../src/protocol/state-folder.ts';
import { everyPlace, placesOf, readBytes } from '../support/secret-search.ts';
import { TestTree } from '../support/tree.ts';
import { adminOf } from '../support/tree-admin.ts';

let tree: TestTree;

before(async () => {
  tree = await TestTree.create();
  await tree.up();
});
after(() => tree.dispose());

test('no secret is found outside of its place: files, dumps, logs, arguments, environments', async () => {
  const folder = stateFolder(tree.folder);
  // What a task reaches of other processes and of the state folder comes out as its output, and is searched with the rest.
  const reach =
    'cat /proc/*/environ /proc/*/cmdline; env; find / -path "*/.elders/*" -type f -exec cat {} +; true';
  const { view } = await tree.submitAndWait({ directive: 'Reach', tasks: [{ id: 't', run: reach }] });
  assert.ok((view.tasks[0]?.output?.bytes ?? 0) > 0);
  const admin = await adminOf(tree.folder, tree.portBase);
  // Both kinds of dump, with what has been written so far.
  await admin.command(['BGREWRITEAOF']);
  await admin.command(['SAVE']).catch(() => undefined);
  const planted = randomBytes(32).toString('base64url');
  await admin.command(['ACL', 'SETUSER', 'planted', 'on', `>${planted}`]);
  const users = replyArray(await admin.command(['ACL', 'LIST']), 'users').map(String);
  await admin.command(['ACL', 'DELUSER', 'planted']);
  admin.close();
  const hashes = new Set(
    users.flatMap((user) => [...user.matchAll(/#([0-9a-f]{64})/g)].map((found) => found[1]!)),
  );
  assert.ok(hashes.size > 9, 'the admin, ten principals, and the planted one');

  const secretFiles = readdirSync(folder.secret).map((name) => join(folder.secret, name));
  const texts = secretFiles.flatMap((path) => secretsIn(readBytes(path)));
  assert.ok(texts.length >= 2, 'the key of the authority and the password of the admin');
  const secrets = { texts, hashes };
  const places = everyPlace(tree.folder, folder.secret);
  assert.ok(places.size > 40);
  // The keys of the elders by their form; `private-keys.test.ts` looks for their very bytes.
  const keys = { texts: ['PRIVATE KEY-----'], hashes: new Set<string>() };
  assert.deepEqual(placesOf(keys, places), []);
  assert.deepEqual(placesOf(secrets, places), []);

  // Positive controls: the same search finds each kind where it is planted on purpose.
  const log = folder.logFile('task_sage');
  for (const secret of [planted, ...texts]) {
    writeFileSync(log, `{"msg":"${secret}"}\n`);
    assert.deepEqual(placesOf(secrets, everyPlace(tree.folder, folder.secret)), [log]);
  }
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  for (const written of [String(pem), JSON.stringify({ pem })]) {
    writeFileSync(log, written);
    assert.deepEqual(placesOf(keys, everyPlace(tree.folder, folder.secret)), [log]);
  }
  writeFileSync(log, '');
});

/** The password, or the lines of a key. */
function secretsIn(text: string): string[] {
  const key = /-----BEGIN [A-Z ]*PRIVATE KEY-----\s+([\s\S]+?)\s+-----END/.exec(text)?.[1];
  if (key !== undefined) return key.split(/\s+/).filter((line) => line.length > 30);
  return text.includes('BEGIN') ? [] : [text.trim()];
}

test('an elder leaves no core and no report when it crashes, and no debugger enters it', async () => {
  const { elders } = await tree.status();
  for (const { pid, name } of elders) {
    assert.ok(pid);
    assert.match(readBytes(`/proc/${pid}/limits`), /^Max core file size +0 +0 /m, name);
    const options = readBytes(`/proc/${pid}/cmdline`).split('\0');
    assert.ok(options.includes('--disable-sigusr1') && options.includes('--permission'), name);
    assert.deepEqual(
      options.filter((option) => /^--(report|inspect|heapsnapshot|allow-inspector)/.test(option)),
      [],
    );
    assert.doesNotMatch(readBytes(`/proc/${pid}/environ`), /NODE_OPTIONS/);
  }
});

test('status tells the isolation of each elder, as the kernel has it', async () => {
  const { elders } = await tree.status();
  for (const { name, isolation } of elders) assert.equal(isolation, 'bubblewrap', name);
  const { status } = await tree.json<ElderDescription>(['describe', 'task_sage']);
  assert.equal(status.isolation, 'bubblewrap');
});
