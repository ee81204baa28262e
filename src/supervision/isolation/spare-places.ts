import { basename, dirname, join } from 'node:path';
import type { StateFolder } from '../../protocol/state-folder.ts';
import { type ElderPlaces, placesOf } from './elder-places.ts';

/** A process that can become any one of some elders, which need the same but for their personal folders. */
export interface SparePlaces {
  /** The elders that it can become. */
  readonly names: readonly string[];
  /** Folder of the host in which its personal folders lie until it has a name. */
  readonly home: string;
}

/** Groups elders so that one process, walled off before it has a name, fits each of a group and sees nothing that is another group's. */
export function groupByPlaces(names: readonly string[], folder: StateFolder): string[][] {
  const kindOf = (name: string) => {
    const { shared, reads, startsPrograms, startsThreads } = placesOf(name, folder);
    return JSON.stringify([shared, reads, startsPrograms, startsThreads]);
  };
  return [...Map.groupBy(names, kindOf).values()];
}

/** Gives the personal folder of a spare that becomes the given one of an elder. */
export function personalFolder(home: string, path: string): string {
  return join(home, basename(dirname(path)));
}

/** Says what a spare needs: what its elders share, and the personal folders of each. */
export function sparePlaces({ names }: Pick<SparePlaces, 'names'>, folder: StateFolder): ElderPlaces {
  const all = names.map((name) => placesOf(name, folder));
  const [first] = all;
  if (first === undefined) throw new Error('a spare is for nobody');
  return { ...first, personal: all.flatMap(({ personal }) => personal) };
}

/**
 * Gives bubblewrap's arguments that show a spare its home in the place of each personal folder that it may come
 * to have: what is renamed into the home's place on the host later stays what it sees.
 */
export function spareFolderArguments(spare: SparePlaces, folder: StateFolder): string[] {
  const own = join(folder.root, 'own');
  const [first = ''] = spare.names;
  return [
    ...placesOf(first, folder).personal.flatMap((path) => [
      '--bind',
      personalFolder(spare.home, path),
      personalFolder(own, path),
    ]),
    ...sparePlaces(spare, folder).personal.flatMap((path) => ['--symlink', personalFolder(own, path), path]),
  ];
}
