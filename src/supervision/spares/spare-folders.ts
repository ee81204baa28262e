import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { StateFolder } from '../../protocol/state-folder.ts';
import { placesOf } from '../isolation/elder-places.ts';
import { personalFolder } from '../isolation/spare-places.ts';

/** Holds the name of the elder whose folders are being moved into a home. */
const markName = 'becomes';

/** Gives the folder in which the homes of all spares lie. */
export function spareHomes(folder: StateFolder): string {
  return join(folder.root, 'spare');
}

/** Gives the folder in which the personal folders of a spare lie until it has a name. */
export function spareHome(folder: StateFolder, spare: string): string {
  return join(spareHomes(folder), spare);
}

/** Makes the home of a spare empty, and gives its path. */
export async function prepareHome(folder: StateFolder, spare: string): Promise<string> {
  const home = spareHome(folder, spare);
  await rm(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true, mode: 0o700 });
  return home;
}

/**
 * Makes the personal folders of a spare those of an elder, with all that its predecessor left in them: a mount
 * follows the folder, not its path, so the spare, walled off before it had a name, sees what is moved in. The
 * predecessor must be gone. A crash on the way is put right by `recoverHomes`.
 */
export function moveIn(folder: StateFolder, name: string, home: string): void {
  writeFileSync(join(home, markName), name, { mode: 0o600 });
  for (const path of placesOf(name, folder).personal) {
    const own = personalFolder(home, path);
    if (existsSync(path)) {
      moveAll(path, own);
      rmdirSync(path);
    }
    renameSync(own, path);
  }
}

/** Gives back to elders what an earlier manager was moving into a home when it ended, and removes all homes. */
export async function recoverHomes(folder: StateFolder): Promise<void> {
  const homes = spareHomes(folder);
  for (const entry of existsSync(homes) ? readdirSync(homes) : []) {
    const home = join(homes, entry);
    const mark = join(home, markName);
    if (!existsSync(mark)) continue;
    for (const path of placesOf(readFileSync(mark, 'utf8'), folder).personal) {
      const own = personalFolder(home, path);
      if (!existsSync(own)) continue;
      mkdirSync(path, { recursive: true, mode: 0o700 });
      moveAll(own, path);
    }
  }
  await rm(homes, { recursive: true, force: true });
}

/**
 * Makes what a spare prints the raw output of an elder; what that printed before moves to `<path>.1`.
 */
export function moveRawOutput(folder: StateFolder, name: string, spare: string): void {
  const [from, to] = [folder.rawOutput(spare), folder.rawOutput(name)];
  if ((statSync(to, { throwIfNoEntry: false })?.size ?? 0) > 0) renameSync(to, `${to}.1`);
  renameSync(from, to);
}

function moveAll(from: string, to: string): void {
  for (const entry of readdirSync(from)) renameSync(join(from, entry), join(to, entry));
}
