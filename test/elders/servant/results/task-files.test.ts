import assert from 'node:assert/strict';
import { mkdir, mkdtemp, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { collectReports } from '../../../../src/elders/servant/results/collect-reports.ts';
import { readTaskFiles } from '../../../../src/elders/servant/results/task-files.ts';

const newFolder = () => mkdtemp(join(tmpdir(), 'et-results-'));

test('outputs and tasks are read, and what is no use is told', async () => {
  const folder = await newFolder();
  await writeFile(join(folder, 'output'), 'version=1.2=3\n\nnotes<<END\na\nb\nEND\n1bad=x\nnever<<STOP\n');
  await writeFile(join(folder, 'tasks'), '{"id":"x","run":"true","needs":"a"}\n{"id":"y"}\nno\n');
  const { outputs, added, problems } = await readTaskFiles(folder);
  assert.deepEqual(outputs, { version: '1.2=3', notes: 'a\nb' });
  assert.deepEqual(
    added?.map(({ id, needs }) => [id, needs]),
    [['x', ['a']]],
  );
  assert.equal(problems.length, 4);
  assert.match(
    problems.join('\n'),
    /line 7[\s\S]*line 8 has no end "STOP"[\s\S]*tasks: line 2[\s\S]*tasks: line 3/,
  );
});

test('a command that writes nothing, or too much, leaves nothing', async () => {
  const folder = await newFolder();
  assert.deepEqual(await readTaskFiles(folder), { problems: [] });
  await writeFile(join(folder, 'output'), `a=${'x'.repeat(300_000)}`);
  const { outputs, problems } = await readTaskFiles(folder);
  assert.equal(outputs, undefined);
  assert.match(problems[0] as string, /more than 262144 bytes/);
});

test('reports are those that the command wrote, below the workspace', async () => {
  const [workspace, outside] = await Promise.all([newFolder(), newFolder()]);
  const junit =
    '<testsuite name="s"><testcase name="a"/><testcase name="b"><failure message="m"/></testcase></testsuite>';
  await mkdir(join(workspace, 'out'));
  for (const path of [
    join(workspace, 'out', 'new.xml'),
    join(workspace, 'out', 'old.xml'),
    join(outside, 'far.xml'),
  ]) {
    await writeFile(path, junit);
  }
  const long = new Date(Date.now() - 60_000);
  await utimes(join(workspace, 'out', 'old.xml'), long, long);
  await symlink(join(outside, 'far.xml'), join(workspace, 'out', 'link.xml'));
  await writeFile(join(workspace, 'out', 'bad.jsonl'), 'no');
  const summary = await collectReports(
    workspace,
    ['out/*.xml', 'out/*.jsonl', '../**/far.xml'],
    Date.now() - 5_000,
  );
  assert.deepEqual(
    [summary?.passed, summary?.failed, summary?.failures],
    [1, 1, [{ name: 's › b', message: 'm' }]],
  );
  assert.match(
    (summary?.problems ?? []).join('\n'),
    /link\.xml: it lies outside[\s\S]*bad\.jsonl: line 1 is not JSON/,
  );
  assert.match(
    (await collectReports(workspace, ['none.xml'], 0))?.problems[0] as string,
    /no report matches/,
  );
  assert.equal(await collectReports(workspace, [], 0), undefined);
});
