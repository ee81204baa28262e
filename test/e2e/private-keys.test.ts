import assert from 'node:assert/strict';
import {
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  type X509Certificate,
} from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { launch } from '../../src/cli/launch.ts';
import { fileName } from '../../src/protocol/file-name.ts';
import { callElders } from '../cli/elders-command.ts';
import { everyPlace, placesOf } from '../support/secret-search.ts';
import { SupervisedTree } from '../support/supervised-tree.ts';

const cipher = randomBytes(32);
let tree: SupervisedTree;
let watcher: string;

/**
 * Loaded by each elder before its program: notes each key that it makes, encrypted, and crashes it on request. So the
 * test knows keys that no elder ever tells.
 */
const preload = `
import crypto from 'node:crypto';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
const make = crypto.generateKeyPairSync;
crypto.generateKeyPairSync = (...args) => {
  const pair = make(...args);
  const iv = crypto.randomBytes(12);
  const seal = crypto.createCipheriv('aes-256-gcm', Buffer.from('${cipher.toString('hex')}', 'hex'), iv);
  const der = pair.privateKey.export({ format: 'der', type: 'pkcs8' });
  const line = Buffer.concat([iv, seal.update(der), seal.final(), seal.getAuthTag()]).toString('base64');
  fs.appendFileSync('.elders/log/' + process.argv.at(-1) + '/noted', line + '\\n');
  return pair;
};
syncBuiltinESMExports();
process.on('SIGUSR2', () => process.abort());
`;

before(async () => {
  watcher = mkdtempSync(join(tmpdir(), 'elders-watcher-'));
  const path = join(watcher, 'preload.mjs');
  writeFileSync(path, preload);
  tree = await SupervisedTree.create(28_000, { servants: 1 });
  writeFileSync(
    join(tree.project, 'elders.yaml'),
    JSON.stringify({ portBase: tree.options.config.portBase }),
  );
  const { files } = launch;
  assert.ok(files);
  await tree.up({
    launch: {
      ...launch,
      args: (name) => ['--import', path, ...launch.args(name)],
      files: { ...files, program: [...files.program, watcher] },
    },
  });
});
after(async () => {
  await tree.remove();
  rmSync(watcher, { recursive: true, force: true });
});

/** The keys that an elder has made so far. */
function keysOf(name: string): KeyObject[] {
  const path = join(dirname(tree.folder.logFile(name)), 'noted');
  assert.equal(fileName(name), name);
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const sealed = Buffer.from(line, 'base64');
      const opened = createDecipheriv('aes-256-gcm', cipher, sealed.subarray(0, 12));
      opened.setAuthTag(sealed.subarray(-16));
      const der = Buffer.concat([opened.update(sealed.subarray(12, -16)), opened.final()]);
      return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    });
}

/** Every form in which somebody might write a key down; those parts of it that are secret. */
function formsOf(key: KeyObject): string[] {
  const secret = Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');
  const pem = (['pkcs8', 'sec1'] as const).flatMap((type) =>
    String(key.export({ format: 'pem', type }))
      .split('\n')
      .slice(1, 3),
  );
  const texts = (['latin1', 'hex', 'base64', 'base64url'] as const).map((form) => secret.toString(form));
  return [
    ...texts,
    secret.toString('hex').toUpperCase(),
    Buffer.from(secret).reverse().toString('latin1'),
    ...pem,
  ];
}

const names = () => tree.status.elders.map(({ name }) => name);

function secrets(keys: readonly KeyObject[]) {
  return { texts: keys.flatMap(formsOf), hashes: new Set<string>() };
}

test('the private keys of elders are found nowhere: files, dumps, logs, arguments, environments, what a task reaches', async () => {
  const keys = names().flatMap(keysOf);
  assert.ok(keys.length >= names().length, 'each has made one');
  const listed = await callElders(['cert', 'list', '--json'], { cwd: tree.project });
  assert.equal(listed.code, 0, listed.stderr);
  const reach =
    'cat /proc/*/environ /proc/*/cmdline /proc/*/maps || :; env; find / -path "*/.elders/*" -type f -exec cat {} + || :';
  const input = JSON.stringify({ directive: 'Reach', tasks: [{ id: 't', run: reach }] });
  const { code, stderr } = await callElders(['directive', 'submit', '-', '--wait'], {
    cwd: tree.project,
    input,
  });
  assert.equal(code, 0, stderr);
  const admin = await tree.redis();
  await admin.command(['BGREWRITEAOF']);
  await admin.command(['SAVE']).catch(() => undefined);
  admin.close();
  const places = everyPlace(tree.project);
  assert.ok(places.size > 40);
  assert.deepEqual(placesOf(secrets(keys), places), []);
});

test('nor after a crash: it leaves no core and no report', async () => {
  const pid = tree.pid('task_sage');
  const before = new Set(readdirSync(tree.project));
  process.kill(pid, 'SIGUSR2');
  await tree.until(() => {
    const { pid: now, state } = tree.elder('task_sage');
    return now !== null && now !== pid && state === 'ready';
  });
  const keys = keysOf('task_sage');
  assert.ok(keys.length >= 2, 'its successor has made another');
  const places = everyPlace(tree.project);
  assert.deepEqual(placesOf(secrets(keys), places), []);
  assert.deepEqual(
    readdirSync(tree.project).filter((name) => !before.has(name)),
    [],
  );
  assert.deepEqual(
    [...places.keys()].filter((path) => /core|report\.|heapsnapshot/.test(path.slice(tree.project.length))),
    [],
  );
});

test('controls: these are the keys that the elders are known by, and each form is found where it is written', async () => {
  const { elders } = tree.status;
  const shown = await Promise.all(elders.map(({ port }) => certificateAt(port)));
  for (const [index, { name }] of elders.entries()) {
    const publicKeys = keysOf(name).map((key) =>
      createPublicKey(key).export({ format: 'der', type: 'spki' }),
    );
    const certified = shown[index]!.publicKey.export({ format: 'der', type: 'spki' });
    assert.ok(
      publicKeys.some((key) => key.equals(certified)),
      name,
    );
  }
  const [key] = keysOf('task_sage');
  const log = tree.folder.logFile('task_sage');
  for (const form of formsOf(key!)) {
    writeFileSync(log, Buffer.from(`{"msg":"${form}"}\n`, 'latin1'));
    assert.deepEqual(placesOf(secrets([key!]), everyPlace(tree.project)), [log]);
  }
  writeFileSync(log, '');
});

/** What an elder shows to whoever connects, with or without a certificate. */
async function certificateAt(port: number): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      if (certificate) resolve(certificate);
      else reject(new Error(`nothing is shown at ${port}`));
    });
    socket.on('error', reject);
  });
}
