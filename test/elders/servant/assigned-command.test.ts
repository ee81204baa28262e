import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { assignedCommand } from '../../../src/elders/servant/assigned-command.ts';
import { startCommand } from '../../../src/elders/servant/execution/run-command.ts';
import { configSchema } from '../../../src/protocol/config.ts';
import type { TaskSpec } from '../../../src/protocol/directive.ts';
import { stateFolder } from '../../../src/protocol/state-folder.ts';
import { task } from '../../support/directive.ts';
import { workbench } from './execution/workbench.ts';

/** A kind that may little, and one that has the same name and may all: the same tasks with the guard switched off. */
const kinds = {
  bounded: {
    bounded: { workspace: 'read-only', network: false, hosts: ['a.example'], limits: { output: '1KB' } },
  },
  open: { bounded: {} },
};

function command(
  project: string,
  kind: keyof typeof kinds,
  wanted: Partial<TaskSpec>,
  refused: string[] = [],
) {
  const config = configSchema.parse({
    servantKinds: kinds[kind],
    sandboxNetwork: true,
    strategy: { hosts: ['a.example', 'b.example'] },
  });
  const folder = stateFolder(project);
  mkdirSync(folder.exchange('servant_1'), { recursive: true });
  const assignment = {
    directiveId: 'd',
    workspace: project,
    task: task('t', { labels: ['bounded'], ...wanted }),
    attempt: 1,
    lease: 'l',
    leaseMs: 1_000,
    expiresAt: 0,
  };
  return assignedCommand({ name: 'servant_1', folder, config }, assignment, {
    worktree: undefined,
    exchange: folder.exchange('servant_1'),
    onRefusedHost: (host, reason) => refused.push(`${host}: ${reason}`),
  });
}

suite('a kind of servants bounds what its tasks may, on whichever servant', () => {
  test('hosts that it does not have are denied', (t) => {
    const { workspace } = workbench(t);
    const refused: string[] = [];
    const asked = { hosts: ['a.example', 'b.example'] };
    assert.throws(() => command(workspace, 'bounded', asked, refused), { code: 'denied' });
    assert.deepEqual(refused, ['b.example: the kind of servant does not allow b.example']);
    assert.throws(() => command(workspace, 'open', { hosts: ['c.example'] }, refused), { code: 'denied' });
    const { sandbox } = command(workspace, 'bounded', { hosts: ['a.example'] });
    assert.deepEqual(sandbox.kind === 'bubblewrap' && sandbox.hosts, ['a.example']);
    const without = command(workspace, 'open', asked).sandbox;
    assert.deepEqual(without.kind === 'bubblewrap' && without.hosts, ['a.example', 'b.example']);
  });

  for (const [kind, may] of [
    ['bounded', false],
    ['open', true],
  ] as const) {
    test(`${kind}: workspace, network and limits are those of the kind`, async (t) => {
      const { workspace } = workbench(t);
      mkdirSync(join(workspace, '.elders', 'run'), { recursive: true });
      const run = 'touch made || echo kept; head -c 5000 /dev/zero | tr "\\0" x';
      const asked = command(workspace, kind, { run });
      assert.equal(asked.sandbox.kind === 'bubblewrap' && asked.sandbox.network, may);
      const { output, reason } = await (await startCommand({ ...asked })).finished;
      assert.equal(output?.tail.includes('kept\n'), !may, reason ?? '');
      assert.equal(output?.bytes === 5_000, may);
    });
  }
});
