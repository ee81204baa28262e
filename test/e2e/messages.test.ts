import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Authority } from '../../src/identity/authority.ts';
import { replyArray } from '../../src/messaging/redis/replies.ts';
import type { DirectiveView } from '../../src/protocol/directive.ts';
import type { DeadLetterView, ShownMessage } from '../../src/protocol/local-api.ts';
import { redisPortOffset } from '../../src/protocol/roster.ts';
import { stateFolder } from '../../src/protocol/state-folder.ts';
import { RedisAdmin } from '../../src/supervision/redis/redis-admin.ts';
import { adminPassword, adminUsername } from '../../src/supervision/redis/redis-files.ts';
import { appears } from '../support/appears.ts';
import { TestTree } from '../support/tree.ts';

let tree: TestTree;
let workspace: string;

before(async () => {
  // Else the manager would fence those whose right to listen is taken from them.
  tree = await TestTree.create({ servants: 1, config: { allowInsecureRedis: true } });
  ({ workspace } = tree);
  await tree.up();
});
after(() => tree.dispose());

const show = (id: string) => tree.json<DirectiveView>(['directive', 'show', id]);

test('an emergency ends the running command; after it the task starts again and completes', async () => {
  const run = 'echo $ELDERS_ATTEMPT > begun-$ELDERS_ATTEMPT; test $ELDERS_ATTEMPT = 2 || sleep 987653';
  const id = await tree.submit({ directive: 'Halt', workspace, tasks: [{ id: 'long', run }] });
  await appears(join(workspace, 'begun-1'));
  const halt = await tree.json<{ told: string[] }>(['emergency', 'halt', '--reason', 'smoke in the room']);
  assert.equal(halt.told.includes('servant_1'), true);
  for (;;) {
    const { halted, tasks } = await show(id);
    assert.equal(halted, 'smoke in the room');
    if (tasks[0]?.state === 'ready') break;
  }
  const japanese = await tree.cli(['directive', 'show', id, '--lang', 'ja']);
  assert.match(japanese.stdout, /緊急停止 +smoke in the room/);
  await tree.json(['emergency', 'resume']);
  await appears(join(workspace, 'begun-2'));
  for (;;) {
    const view = await show(id);
    if (view.state !== 'completed') continue;
    assert.deepEqual(
      view.tasks[0]?.history.map(({ outcome }) => outcome),
      ['cancelled', 'succeeded'],
    );
    break;
  }
  const twice = await tree.cli(['emergency', 'resume', '--json']);
  assert.equal(twice.code, 1);
  assert.equal(JSON.parse(twice.stdout).error.code, 'conflict');
});

const letters = async () => (await tree.json<{ letters: DeadLetterView[] }>(['dlq', 'list'])).letters;

/** Has a question expire on its way to an elder that stands still, and gives the dead letter. */
async function expiredLetter(): Promise<DeadLetterView> {
  const { pid } = await tree.elder('rag_sage');
  process.kill(pid as number, 'SIGSTOP');
  const payload = ['--payload', '{"query":"words"}', '--timeout', '200ms'];
  const asked = await tree.cli(['msg', 'send', 'rag_sage', 'sage.rag.search', ...payload, '--json']);
  process.kill(pid as number, 'SIGCONT');
  assert.equal(asked.code, 5);
  let letter: DeadLetterView | undefined;
  while (!letter) [letter] = await letters();
  return letter;
}

test('a dead letter is listed, shown and discarded', async () => {
  assert.match((await tree.cli(['dlq', 'list'])).stdout, /no dead letters/);
  const letter = await expiredLetter();
  const { id } = letter;
  assert.deepEqual([letter.elder, letter.source, letter.action], ['rag_sage', 'gateway', 'sage.rag.search']);
  const message = await tree.json<ShownMessage>(['msg', 'show', id]);
  assert.deepEqual([message.state, message.target], ['dead', 'rag_sage']);
  assert.deepEqual(
    message.errors.map(({ code }) => code),
    ['expired'],
  );
  const human = await tree.cli(['dlq', 'show', id, '--lang', 'ja']);
  assert.match(human.stdout, /expired/);
  const discarded = await tree.json<{ state: string }>(['dlq', 'discard', id]);
  assert.equal(discarded.state, 'discarded');
  assert.deepEqual(await letters(), []);
  for (const command of ['show', 'replay', 'discard']) {
    const gone = await tree.cli(['dlq', command, id, '--json']);
    assert.equal(gone.code, 1);
    assert.equal(JSON.parse(gone.stdout).error.code, 'not_found');
  }
});

test('what expired while its elder stood still is acted on when a person wants it; its answer is late', async () => {
  const { pid } = await tree.elder('knowledge_sage');
  process.kill(pid as number, 'SIGSTOP');
  const payload = ['--payload', '{"query":"words"}', '--timeout', '200ms'];
  const asked = await tree.cli([
    'msg',
    'send',
    'knowledge_sage',
    'sage.knowledge.search',
    ...payload,
    '--json',
  ]);
  process.kill(pid as number, 'SIGCONT');
  assert.equal(asked.code, 5);
  let letter: DeadLetterView | undefined;
  while (!letter) [letter] = await letters();
  assert.equal(letter.errors[0]?.code, 'expired');
  assert.equal((await tree.json<{ state: string }>(['dlq', 'replay', letter.id])).state, 'acted');
  const message = await tree.json<ShownMessage>(['msg', 'show', letter.id]);
  assert.deepEqual([message.state, message.attempts, message.error], ['acted', 2, null]);
  const { messages } = await tree.json<{ messages: { action: string; late: boolean }[] }>([
    'trace',
    message.correlationId as string,
  ]);
  const answer = messages.find(({ action }) => action === 'reply.result');
  assert.equal(answer?.late, true);
});

test('with every Pub/Sub message cut a directive completes and --wait ends', async () => {
  const folder = stateFolder(tree.folder);
  const { tree: id } = await tree.status();
  const authority = await Authority.open(folder.secret, id as string);
  const issued = await authority.issueWithKey({ name: 'manager', addresses: [], lifetimeMs: 600_000 });
  const admin = await RedisAdmin.connect({
    tree: id as string,
    servants: 1,
    endpoint: { host: '127.0.0.1', port: tree.portBase + redisPortOffset, ca: authority.caPem },
    credential: { username: adminUsername, password: await adminPassword(folder) },
    tls: () => ({ cert: issued.certificatePem, key: issued.privateKeyPem, ca: authority.caPem }),
  });
  try {
    const users = replyArray(await admin.command(['ACL', 'USERS']), 'users').map(String);
    const elders = users.filter((user) => user.startsWith(`${id}.`));
    assert.equal(elders.length > 8, true);
    // A live subscription ends with the right to it.
    for (const user of elders) await admin.command(['ACL', 'SETUSER', user, 'resetchannels']);
    const tasks = ['a', 'b'].map((name) => ({ id: name, run: 'true' }));
    const { code, view } = await tree.submitAndWait({ directive: 'Cut', workspace, tasks });
    assert.deepEqual([code, view.state], [0, 'completed']);
    assert.deepEqual(await admin.command(['PUBSUB', 'CHANNELS']), []);
    // A gateway that has no right to listen from its start serves all the same.
    const { pid, incarnation } = await tree.elder('grand_elder');
    process.kill(pid as number, 'SIGKILL');
    for (;;) {
      const elder = await tree.elder('grand_elder');
      if (elder.incarnation !== incarnation && elder.state === 'ready') break;
    }
    const own = replyArray(await admin.command(['ACL', 'USERS']), 'users').map(String);
    for (const user of own.filter((name) => name.startsWith(`${id}.`))) {
      await admin.command(['ACL', 'SETUSER', user, 'resetchannels']);
    }
    assert.equal((await tree.submitAndWait({ directive: 'Again', workspace, tasks })).code, 0);
  } finally {
    admin.close();
  }
});
