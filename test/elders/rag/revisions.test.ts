import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Revisions } from '../../../src/elders/rag/retrieval/revisions.ts';
import { temporaryFolder } from '../../cli/elders-command.ts';

test('a file is cited in the commit that is checked out only where git tracks it, and told when it differs', (t) => {
  const root = realpathSync(temporaryFolder(t));
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], {
      cwd: root,
      encoding: 'utf8',
    }).trim();
  const write = (path: string, text: string) => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const revisions = new Revisions();
  const of = (path: string) => {
    const { commit, modified } = revisions.look()(join(root, path), git('hash-object', path));
    return [commit, modified];
  };
  git('init', '-q');
  for (const path of ['a.md', 'side.md', '資料/障害.md', 'deep/a.md']) write(path, `text of ${path}`);
  git('add', 'a.md', '資料');
  assert.deepEqual(of('a.md'), [null, false], 'there is no commit yet');
  git('commit', '-q', '-m', 'first');
  const head = git('rev-parse', 'HEAD');
  assert.deepEqual(of('a.md'), [head, false]);
  assert.deepEqual(of('資料/障害.md'), [head, false]);
  assert.deepEqual(of('deep/a.md'), [null, null], 'it has the name of one that is tracked, elsewhere');
  write('a.md', 'other text');
  assert.deepEqual(of('a.md'), [head, true]);
  git('add', 'a.md', 'deep');
  git('commit', '-q', '-m', 'second');
  assert.deepEqual(of('deep/a.md'), [git('rev-parse', 'HEAD'), false]);
  // Entries with more flags (version 3), and paths that share their beginnings, a long one among them (version 4).
  const long = `deep/${'x'.repeat(150)}/${'y'.repeat(150)}.md`;
  write(long, 'long');
  write('deep/later.md', 'later');
  git('add', long);
  git('add', '-N', 'deep/later.md');
  git('commit', '-q', '-m', 'third', long);
  for (const version of ['3', '4']) {
    git('update-index', '--force-write-index', '--index-version', version);
    for (const path of ['a.md', 'deep/a.md', long, '資料/障害.md']) {
      assert.deepEqual(of(path), [git('rev-parse', 'HEAD'), false], `${path} in version ${version}`);
    }
    assert.deepEqual(of('deep/later.md'), [git('rev-parse', 'HEAD'), true], 'only intended to be added');
    assert.deepEqual(of('side.md'), [null, null]);
  }
  git('worktree', 'add', '-q', '--detach', join(root, 'side'));
  const elsewhere = revisions.look()(join(root, 'side/a.md'), git('hash-object', 'a.md'));
  assert.equal(elsewhere.commit, git('rev-parse', 'HEAD'));
});
