import { existsSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import type { StateFolder } from '../../../protocol/state-folder.ts';
import { foreignFolders } from '../../../telemetry/host-folders.ts';
import type { ElderPlaces } from '../elder-places.ts';
import type { ElderProgram } from '../elder-program.ts';

/**
 * Lists the folders that an elder with a user of its own is to see as its own, the one that holds the project
 * first. To everything else it is a stranger. None lies within another. What a place lies in can be written by no elder,
 * so that none can lay a link there for the next one to be given what it leads to.
 */
export function mappedPlaces(folder: StateFolder, program: ElderProgram, places: ElderPlaces): string[] {
  const { command, files } = program;
  const real = realpathSync(folder.project);
  const project = outermostClosed(real) ?? real;
  const loaded = [command, ...(files?.program ?? []), ...(files === undefined ? [] : [files.cache])]
    .filter((path) => existsSync(path))
    .map((path) => realpathSync(path))
    .filter((path) => outermostClosed(path) !== null);
  // A task may be for any folder of the user's.
  const work = places.startsPrograms ? [homedir(), ...foreignFolders(), '/tmp', '/var/tmp'] : [];
  const read = [...places.reads, ...work]
    .filter((path) => existsSync(path))
    .map((path) => realpathSync(path));
  const all = [...new Set([project, ...[...loaded, ...read].map((path) => outermostClosed(path) ?? path)])];
  const outermost = all.filter((path) => !all.some((other) => other !== path && holds(other, path)));
  return outermost
    .filter((path) => path !== '/')
    .sort((a, b) => Number(holds(b, project)) - Number(holds(a, project)));
}

function holds(folder: string, path: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`);
}

/** Gives the outermost part of a path that strangers may not enter, or not read where it is all of it; `null` if there is none. */
function outermostClosed(path: string): string | null {
  return (
    ancestors(path).find((part) => (statSync(part).mode & (part === path ? 0o004 : 0o001)) === 0) ?? null
  );
}

function ancestors(path: string): string[] {
  return path === '/' ? [] : [...ancestors(dirname(path)), path];
}
