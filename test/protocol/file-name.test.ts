import assert from 'node:assert/strict';
import { join, sep } from 'node:path';
import { test } from 'node:test';
import { outputPath } from '../../src/elders/servant/execution/output-file.ts';
import { attemptResult } from '../../src/protocol/actions/servant.ts';
import { taskId } from '../../src/protocol/directive.ts';
import { fileName } from '../../src/protocol/file-name.ts';
import { stateFolder } from '../../src/protocol/state-folder.ts';

const escapes = [
  '',
  '.',
  '..',
  '../x',
  '../../etc/passwd',
  '/etc/passwd',
  'a/b',
  'a\\b',
  '.hidden',
  'a\0b',
  'a\nb',
  'x'.repeat(201),
];

test('no name leads out of the folder that it names a file in', () => {
  const folder = stateFolder('/project');
  for (const name of escapes) {
    assert.throws(() => fileName(name), { code: 'malformed' }, JSON.stringify(name));
    for (const path of [folder.processRecord, folder.sandboxRecord, folder.logFile, folder.rawOutput]) {
      assert.throws(() => path(name), { code: 'malformed' }, JSON.stringify(name));
    }
    const output = { folder: '/output', directiveId: 'd1', taskId: 't1', attempt: 1 };
    assert.throws(() => outputPath({ ...output, directiveId: name }), { code: 'malformed' });
    assert.throws(() => outputPath({ ...output, taskId: name }), { code: 'malformed' });
    assert.equal(attemptResult.shape.directiveId.safeParse(name).success, false, JSON.stringify(name));
    assert.equal(taskId.safeParse(name).success, false, JSON.stringify(name));
  }
  assert.ok(folder.logFile('servant_1').startsWith(`/project${sep}.elders${sep}log${sep}`));
});

test('the guard matters: joined as they are, such names lead elsewhere', () => {
  assert.equal(join('/project/.elders/log', '../../etc/passwd'), '/project/etc/passwd');
});
