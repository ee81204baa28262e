import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { claimPortBase } from '../../scripts/claim-port-base.ts';
import { processesTouching } from '../../scripts/processes-touching.ts';
import type { TreeStatus } from '../../src/protocol/process.ts';
import { type CommandResult, cleanEnvironment, runCommand } from '../support/command.ts';
import { endProcess } from '../support/end-process.ts';
import { findOldNode } from '../support/old-node.ts';
import { stagePackage } from '../support/staged-package.ts';

const tinyDirective = `directive: Tiny
workspace: .
tasks:
  - id: first
    run: echo one > made
  - id: second
    run: cat made
    needs: [first]
`;

/** This environment with the folder of a Node first on PATH. */
function withNode(node: string): NodeJS.ProcessEnv {
  const env = cleanEnvironment();
  return { ...env, PATH: `${dirname(node)}${delimiter}${env.PATH}` };
}

describe('the tarball, installed in an empty folder', () => {
  let folder: string;
  let project: string;

  const elders = (...args: string[]): Promise<CommandResult> =>
    runCommand('npx', ['elders', ...args], { cwd: project, env: withNode(process.execPath) });

  before(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'tar-')));
    const stage = mkdtempSync(join(folder, 'stage-'));
    project = mkdtempSync(join(folder, 'project-'));
    await stagePackage(stage);
    const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
    const packed = await runCommand('npm', pack, { cwd: stage });
    assert.equal(packed.code, 0, packed.stderr);
    const tarball: string = [JSON.parse(packed.stdout)].flat()[0].filename;
    const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
    const installed = await runCommand('npm', [...install, join(folder, tarball)], {
      cwd: project,
      env: withNode(process.execPath),
    });
    assert.equal(installed.code, 0, installed.stderr);
  });

  after(async () => {
    // Does nothing after a test that passed; ends the tree of one that failed half-way.
    await elders('down');
    await Promise.all(processesTouching(project).map(({ pid }) => endProcess(pid)));
    rmSync(folder, { recursive: true, force: true });
  });

  it('starts a tree with no config file, does a directive, and leaves no process', async () => {
    const { base: portBase } = await claimPortBase(2);
    const up = await elders('up', '-d', '--wait', '--port-base', String(portBase));
    assert.equal(up.code, 0, up.stderr);

    let status: TreeStatus;
    do {
      const shown = await elders('status', '--json');
      assert.equal(shown.code, 0, shown.stderr);
      status = JSON.parse(shown.stdout);
    } while (status.state !== 'ready');
    assert.deepEqual(
      status.elders.map((elder) => [elder.name, elder.port - portBase, elder.state]),
      [
        ['grand_elder', 0, 'ready'],
        ['claude_elder', 1, 'ready'],
        ['knowledge_sage', 2, 'ready'],
        ['task_sage', 3, 'ready'],
        ['rag_sage', 4, 'ready'],
        ['incident_sage', 5, 'ready'],
        ['elder_council', 500, 'ready'],
        ['servant_1', 1001, 'ready'],
        ['servant_2', 1002, 'ready'],
      ],
    );

    writeFileSync(join(project, 'tiny.yaml'), tinyDirective);
    const submitted = await elders('directive', 'submit', 'tiny.yaml', '--wait');
    assert.equal(submitted.code, 0, submitted.stdout + submitted.stderr);

    const down = await elders('down');
    assert.equal(down.code, 0, down.stderr);
    assert.deepEqual(processesTouching(project), []);
    assert.equal((await elders('status')).code, 3);
  });

  it('says in one line what to do under an older Node', async (t) => {
    const node = findOldNode();
    if (node === undefined) {
      t.skip('there is no Node older than 24 on PATH');
      return;
    }
    const bin = join(project, 'node_modules/elders-tree/bin/elders.cjs');
    const { code, stdout, stderr } = await runCommand(node, [bin, 'status'], { cwd: project });
    assert.notEqual(code, 0);
    assert.equal(stdout, '');
    assert.match(stderr, /^[^\n]+\n$/);
    assert.match(stderr, /Node\.js 24 or newer/);
    assert.match(stderr, /ELDERS_NODE/);
  });

  it('runs from an older Node when ELDERS_NODE names a newer one', async (t) => {
    const node = findOldNode();
    if (node === undefined) {
      t.skip('there is no Node older than 24 on PATH');
      return;
    }
    const bin = join(project, 'node_modules/elders-tree/bin/elders.cjs');
    const env = { ...cleanEnvironment(), ELDERS_NODE: process.execPath };
    const { code, stderr } = await runCommand(node, [bin, '--help'], { cwd: project, env });
    assert.equal(code, 0, stderr);
  });
});
