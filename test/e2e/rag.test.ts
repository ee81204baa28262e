import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RagAnswer, RagContext, RagSource } from '../../src/protocol/rag.ts';
import { TestTree } from '../support/tree.ts';

test('people index folders, in the project and outside, and find passages with path, lines and commit', async (t) => {
  const tree = await TestTree.create({ config: { search: { dictionary: 'words.txt' } } });
  t.after(() => tree.dispose());
  const project = realpathSync(tree.folder);
  const repository = join(project, 'repo');
  mkdirSync(repository);
  writeFileSync(join(repository, 'guide.md'), '# Guide\n\n## 障害対応\n\n障害が起きたら再起動する。\n');
  writeFileSync(join(repository, '.env'), 'SECRET=quokka\n');
  writeFileSync(join(project, 'words.txt'), 'ポンチ係 = 再起動\n');
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], {
      cwd: repository,
      encoding: 'utf8',
    }).trim();
  git('init', '-q');
  git('add', 'guide.md');
  git('commit', '-q', '-m', 'first');
  const outside = realpathSync(mkdtempSync(join(tmpdir(), 'elders-outside-')));
  t.after(() => rmSync(outside, { recursive: true, force: true }));
  writeFileSync(join(outside, 'note.txt'), 'the wombat digs\n');
  const run = async <T>(...args: string[]): Promise<T> => {
    const { code, stdout, stderr } = await tree.cli([...args, '--json']);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}${stdout}`);
    return JSON.parse(stdout);
  };

  assert.equal((await tree.cli(['up', '--detach', '--wait'])).code, 0);
  const source = await run<RagSource>('rag', 'index', repository, '--wait');
  assert.deepEqual([source.state, source.files], ['ready', 1]);
  assert.deepEqual(
    source.problems.map(({ path, kind }) => [path, kind]),
    [[join(repository, '.env'), 'secret']],
  );
  const { results, method } = await run<RagAnswer>('rag', 'search', '障害');
  assert.equal(method, 'lexical');
  const [hit] = results;
  assert.deepEqual(
    [hit?.path, hit?.commit, hit?.blob],
    [join(repository, 'guide.md'), git('rev-parse', 'HEAD'), git('hash-object', 'guide.md')],
  );
  assert.ok(hit && hit.startLine <= 5 && hit.endLine >= 5 && hit.snippet.includes('障害'));
  assert.deepEqual((await run<RagAnswer>('rag', 'search', 'quokka')).results, []);
  const [ours] = (await run<RagAnswer>('rag', 'search', 'ポンチ係', '--explain')).results;
  assert.equal(ours?.path, join(repository, 'guide.md'));
  assert.match(JSON.stringify(ours.explanation), /"origin":"dictionary"/);
  assert.equal((await tree.cli(['rag', 'index', join(project, '.elders')])).code, 1);
  const context = await run<RagContext>('rag', 'context', '障害', '--budget', '100');
  assert.ok(context.tokens <= 100 && context.citations.length === 1);
  assert.deepEqual((await run<RagAnswer>('ask', 'rag', '障害')).results, results);

  await run('rag', 'index', outside, '--wait');
  assert.equal((await run<RagAnswer>('rag', 'search', 'wombat')).results[0]?.path, join(outside, 'note.txt'));

  // What changes while the sage is away is found by the next one.
  assert.equal((await tree.cli(['down'])).code, 0);
  appendFileSync(join(repository, 'guide.md'), '\nA numbat appears.\n');
  assert.equal((await tree.cli(['up', '--detach', '--wait'])).code, 0);
  await run('rag', 'index', repository, '--wait');
  assert.equal(
    (await run<RagAnswer>('rag', 'search', 'numbat')).results[0]?.path,
    join(repository, 'guide.md'),
  );
  await run('rag', 'forget', outside);
  assert.deepEqual((await run<RagAnswer>('rag', 'search', 'wombat')).results, []);
  assert.equal((await tree.cli(['rag', 'index', join(project, 'absent')])).code, 1);
});
