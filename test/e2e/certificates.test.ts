import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { call } from '../../src/cli/connection/local-client.ts';
import type {
  CertificateList,
  CertificateRevocation,
  CertificateRotation,
  ProcessHealth,
} from '../../src/protocol/certificates.ts';
import { gatewayRoutes } from '../../src/protocol/local-api.ts';
import { stateFolder } from '../../src/protocol/state-folder.ts';
import { TestTree } from '../support/tree.ts';

const targets = ['grand_elder', 'task_sage', 'knowledge_sage', 'incident_sage'];

describe('certificates that live for seconds', () => {
  let tree: TestTree;
  before(async () => {
    const certificates = { lifetime: '12s', connectionAge: '2s' };
    tree = await TestTree.create({ config: { certificates } });
    await tree.up();
  });
  after(() => tree.dispose());

  /** Asks one elder after the other until stopped; what went wrong is in `failures`. */
  function load() {
    const socket = stateFolder(tree.folder).gatewaySocket;
    const failures: unknown[] = [];
    let answered = 0;
    let stopped = false;
    const ask = async (lane: number) => {
      for (let turn = lane; !stopped; turn += 1) {
        const target = targets[turn % targets.length] as string;
        const body = { target, action: 'elder.ping', payload: {}, idempotencyKey: randomUUID() };
        await call({ socket, route: gatewayRoutes.ask, body, timeoutMs: 60_000 }).then(
          () => (answered += 1),
          (error: unknown) => failures.push(error),
        );
      }
    };
    const lanes = Promise.all([0, 1, 2].map(ask));
    return async () => {
      stopped = true;
      await lanes;
      return { answered, failures };
    };
  }

  const serialsOf = ({ certificates }: CertificateList) =>
    new Map(
      certificates.filter(({ state }) => state === 'current').map(({ name, serial }) => [name, serial]),
    );

  test('are renewed again and again under load, and no message is lost, no process restarted', async () => {
    const pids = (await tree.status()).elders.map(({ pid }) => pid);
    const finish = load();
    await using _ = { [Symbol.asyncDispose]: async () => void (await finish()) };
    const work = tree.cli(['directive', 'submit', '-', '--wait'], {
      input: JSON.stringify({
        directive: 'work under renewal',
        workspace: '.',
        tasks: Array.from({ length: 12 }, (_, index) => ({ id: `t${index}`, run: 'echo done' })),
      }),
    });
    const seen = new Map<string, Set<string>>();
    const renewedTwice = () => seen.size > 0 && [...seen.values()].every((serials) => serials.size >= 3);
    while (!renewedTwice()) {
      for (const [name, serial] of serialsOf(await tree.json<CertificateList>(['cert', 'list']))) {
        seen.set(name, (seen.get(name) ?? new Set()).add(serial));
      }
    }
    const { root } = await tree.json<CertificateList>(['cert', 'list']);
    const rotated = await tree.json<CertificateRotation>(['cert', 'rotate', '--ca']);
    assert.notEqual(rotated.root, root);
    const { code, stderr } = await work;
    const { answered, failures } = await finish();
    assert.equal(code, 0, stderr);
    assert.deepEqual(failures, []);
    assert.ok(answered > 20, String(answered));
    const status = await tree.status();
    assert.deepEqual(
      status.elders.map(({ pid }) => pid),
      pids,
    );
  });

  test('a process whose certificate is revoked comes back with another, and is healthy', async () => {
    const before = await tree.elder('servant_1');
    const done = await tree.json<CertificateRevocation>(['cert', 'revoke', 'servant_1']);
    assert.deepEqual(done.pending, []);
    assert.ok(done.serials.length > 0);
    for (;;) {
      const { code, stdout } = await tree.cli(['health', 'servant_1', '--json']);
      if (code === 0) break;
      assert.equal(code, 1);
      assert.equal((JSON.parse(stdout) as ProcessHealth).ready, false);
    }
    assert.notEqual((await tree.elder('servant_1')).pid, before.pid);
    assert.equal((await tree.cli(['health', 'servant_1', '--live'])).code, 0);
    assert.equal((await tree.cli(['health', 'nobody'])).code, 1);
    assert.equal((await tree.cli(['cert', 'rotate'])).code, 2);
    const listed = await tree.cli(['cert', 'list', '--lang', 'ja']);
    assert.match(listed.stdout, /失効/);
  });
});
