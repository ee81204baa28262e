import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { roster } from '../../../src/protocol/roster.ts';
import { type StateFolder, stateFolder } from '../../../src/protocol/state-folder.ts';
import { placesOf } from '../../../src/supervision/isolation/elder-places.ts';
import { groupByPlaces, personalFolder } from '../../../src/supervision/isolation/spare-places.ts';
import {
  moveIn,
  prepareHome,
  recoverHomes,
  spareHomes,
} from '../../../src/supervision/spares/spare-folders.ts';

const name = 'servant_1';

function treeFolder(t: TestContext): StateFolder {
  const project = realpathSync(mkdtempSync(join(tmpdir(), 'elders-spare-')));
  t.after(() => rmSync(project, { recursive: true, force: true }));
  return stateFolder(project);
}

/** A home as it is when its spare runs, beside the folders of an elder that has died. */
async function scene(folder: StateFolder): Promise<string> {
  const home = await prepareHome(folder, 'spare.servant_1');
  for (const path of placesOf(name, folder).personal) {
    mkdirSync(path, { recursive: true });
    mkdirSync(personalFolder(home, path));
  }
  writeFileSync(folder.logFile(name), 'before\n');
  writeFileSync(folder.sandboxRecord(name), '{}');
  writeFileSync(join(personalFolder(home, dirname(folder.logFile(name))), 'mine'), 'mine');
  return home;
}

test('no group mixes elders that may see different things', (t) => {
  const folder = treeFolder(t);
  const groups = groupByPlaces(
    roster(2).map((spec) => spec.name),
    folder,
  );
  assert.ok(groups.some((names) => names.join() === 'grand_elder'));
  assert.ok(groups.some((names) => names.join() === 'servant_1,servant_2'));
  assert.ok(groups.some((names) => names.join() === 'claude_elder,task_sage,incident_sage,elder_council'));
});

test('a spare that moves in has what its predecessor left, in the folders that it holds', async (t) => {
  const folder = treeFolder(t);
  const home = await scene(folder);
  moveIn(folder, name, home);
  assert.equal(readFileSync(folder.logFile(name), 'utf8'), 'before\n');
  assert.ok(existsSync(folder.sandboxRecord(name)));
  assert.equal(readFileSync(join(dirname(folder.logFile(name)), 'mine'), 'utf8'), 'mine');
});

test('what a manager that died was moving is given back', async (t) => {
  const folder = treeFolder(t);
  const home = await scene(folder);
  // As it stands when the first folder has been moved, and of the second all but its name.
  writeFileSync(join(home, 'becomes'), name);
  const [log = '', run = ''] = placesOf(name, folder).personal;
  for (const path of [log, run]) {
    rmSync(personalFolder(home, path), { recursive: true });
    mkdirSync(personalFolder(home, path));
  }
  writeFileSync(join(personalFolder(home, log), `${name}.log`), 'moved\n');
  rmSync(log, { recursive: true });
  await recoverHomes(folder);
  assert.equal(readFileSync(folder.logFile(name), 'utf8'), 'moved\n');
  assert.ok(existsSync(folder.sandboxRecord(name)));
  assert.equal(existsSync(spareHomes(folder)), false);
});
