import assert from 'node:assert/strict';
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FileCutter } from '../../../src/elders/rag/cut/cut-file.ts';
import type { IgnoreRules } from '../../../src/elders/rag/files/ignore-rules.ts';
import { walk } from '../../../src/elders/rag/files/walk.ts';
import { IndexStore } from '../../../src/elders/rag/indexing/index-store.ts';
import { Retriever } from '../../../src/elders/rag/retrieval/retriever.ts';
import {
  removeSecrets,
  type SecretGuard,
  secretGuard,
} from '../../../src/elders/rag/secrets/find-secrets.ts';
import { secretRules } from '../../../src/elders/rag/secrets/rules.ts';
import { temporaryFolder } from '../../cli/elders-command.ts';

// Put together here, so that nobody's scanner takes this file for a leak.
const letters = (count: number) => 'aK3xZ9qL7mT2vB8nR4wY6cD1fG5hJ0pS'.repeat(30).slice(0, count);
const capitals = (count: number) => 'Q7XKZ2MWVT4RNB6PJCYD3HFGLS5AEU'.repeat(30).slice(0, count);
const hex = (count: number) => '3f9a1c7e5b2d8046'.repeat(30).slice(0, count);
const samples: Readonly<Record<string, string>> = {
  'private-key': `-----BEGIN OPENSSH ${'PRIVATE'} KEY-----\n${letters(64)}\n-----END OPENSSH ${'PRIVATE'} KEY-----`,
  'aws-access-token': `AKIA${capitals(16)}`,
  github: `ghp_${letters(36)}`,
  gitlab: `glpat-${letters(20)}`,
  'openai-api-key': `sk-proj-${letters(48)}`,
  'anthropic-api-key': `sk-ant-api03-${letters(95)}`,
  'slack-token': `xoxb-${letters(40)}`,
  'slack-webhook-url': `https://hooks.slack.com/services/${letters(44)}`,
  'discord-webhook': `https://discord.com/api/webhooks/${'123456789'.repeat(2)}/${letters(68)}`,
  stripe: `sk_live_${letters(24)}`,
  'gcp-api-key': `AIza${letters(35)}`,
  'google-oauth-secret': `GOCSPX-${letters(28)}`,
  npm: `npm_${letters(36)}`,
  'npmrc-auth': `//registry.local/:_authToken=${letters(30)}`,
  'pypi-upload-token': `pypi-AgEIcHlwaS5vcmc${letters(60)}`,
  huggingface: `hf_${'abcdefgHIJKLMnopqrstUVWXyz'.repeat(2).slice(0, 34)}`,
  sendgrid: `SG.${letters(22)}.${letters(43)}`,
  'digitalocean-token': `dop_v1_${hex(64)}`,
  'hashicorp-vault': `hvs.${letters(95)}`,
  'telegram-bot-api-token': `telegram 1234567890:A${letters(34)}`,
  'age-secret-key': `AGE-SECRET-KEY-1${'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'.repeat(2).slice(0, 58)}`,
  jwt: `eyJhbGciOiJIUzI1NiIs${letters(10)}.eyJzdWIiOiIxMjM0NTY3${letters(10)}.${letters(43)}`,
  'azure-storage-key': `AccountKey=${letters(86)}==`,
  'url-password': 'postgres://app:hunter2secretly@db.internal/app',
  'generic-api-key': `db_password = "${letters(20)}"`,
};

test('every rule finds what it is for, in a line of its own, and leaves the lines beside it', () => {
  const untried = secretRules.filter(({ id }) => samples[id] === undefined);
  assert.deepEqual(untried, [], 'each rule of our own has a sample');
  for (const [id, sample] of Object.entries(samples)) {
    const { text, found } = removeSecrets(`before\n${sample}\nafter`);
    const lines = text.split('\n');
    assert.deepEqual([lines.at(0), lines.at(-1)], ['before', 'after'], id);
    assert.ok(
      lines.slice(1, -1).every((line) => line === '[secret]'),
      `${id}: ${text}`,
    );
    assert.ok(
      found.some(({ rule, line }) => rule === id && line === 2),
      `${id}: ${JSON.stringify(found)}`,
    );
  }
});

test('a key whose end is missing goes as far as it looks like one', () => {
  const key = `-----BEGIN RSA ${'PRIVATE'} KEY-----\n${letters(64)}\n${letters(64)}\n`;
  const { text } = removeSecrets(`${key}\n# Heading of the rest\n${'other words. '.repeat(3_000)}`);
  assert.equal(text.includes(letters(64)), false);
  assert.match(text, /# Heading of the rest/);
});

test('a text full of beginnings without an end takes one pass', () => {
  const heads = `-----BEGIN RSA ${'PRIVATE'} KEY-----\nx!\n`.repeat(100_000);
  assert.equal(removeSecrets(heads).found.length, 100_000);
});

interface Leaks {
  readonly guard?: SecretGuard;
  readonly rules?: IgnoreRules;
  readonly sources?: readonly string[];
}

/** Indexes a project full of what must not come out, asks for each of it, and gives what came. */
async function leaked(t: TestContext, { guard = secretGuard, rules, sources }: Leaks): Promise<string[]> {
  const base = realpathSync(temporaryFolder(t));
  const root = join(base, 'project');
  const files: Record<string, string> = {
    'project/.env': 'LOGIN=canaryenv',
    'project/deploy/id_ed25519': 'canarykey',
    'project/credentials.json': '{"user":"canarycredentials"}',
    'project/app.yaml': `name: canarysettings\ntoken: ${samples.github}\n`,
    'project/main.ts': `const a = 1;\nconst b = '${samples.stripe}'; // canarycode\n`,
    'project/.gitignore': 'private/\n*.log\n',
    'project/private/plan.md': 'canaryignored',
    'project/debug.log': 'canarylog',
    'project/.git/config': 'canarygit',
    'project/.elders/secret/ca.pem': 'canarystate',
    'project/node_modules/x/index.js': '// canarymodule',
    'outside/note.md': 'canaryoutside',
    'project/guide.md': 'the kangaroo is meant to be found',
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(base, path, '..'), { recursive: true });
    writeFileSync(join(base, path), text);
  }
  symlinkSync(join(base, 'outside'), join(root, 'linked'));
  symlinkSync(join(base, 'outside/note.md'), join(root, 'linked.md'));
  const store = IndexStore.open(join(base, 'index.sqlite'));
  t.after(() => store.close());
  const cutter = new FileCutter(1_000_000, guard);
  const take = async (folder: string) => {
    for (const { path, reason, size } of walk(folder, rules ? { rules } : {})) {
      if (reason === undefined)
        store.put([await cutter.cut({ path, shown: path, size, knownHash: undefined })]);
    }
  };
  await take(root);
  await take(join(base, 'outside'));
  const retriever = new Retriever(store.index, { semantic: null });
  const found: string[] = [];
  const words = Object.values(files).flatMap((text) => /canary[a-z]+|kangaroo/u.exec(text)?.[0] ?? []);
  for (const word of words) {
    const narrowed = { below: null, sources: sources ?? [root] };
    const { results } = await retriever.search(`"${word}"`, 5, narrowed);
    if (results.some(({ text }) => text.includes(word))) found.push(word);
  }
  return found.sort();
}

test('secrets, ignored files and what lies outside never come out; each guard alone keeps its own in', async (t) => {
  assert.deepEqual(await leaked(t, {}), ['kangaroo']);
  const noGuard = { isSecretFile: () => false, removeSecrets: (text: string) => ({ text, found: [] }) };
  assert.deepEqual(await leaked(t, { guard: noGuard }), [
    ...['canarycode', 'canarycredentials', 'canaryenv', 'canarykey', 'canarysettings', 'kangaroo'],
  ]);
  // Files that hold secrets are kept out by their names all the same.
  const noRules = { ignores: () => false } as unknown as IgnoreRules;
  assert.deepEqual(await leaked(t, { rules: noRules }), [
    ...['canarygit', 'canaryignored', 'canarylog', 'canarymodule', 'kangaroo'],
  ]);
  assert.deepEqual(await leaked(t, { sources: ['/'] }), ['canaryoutside', 'kangaroo']);
});
