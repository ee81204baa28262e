import { dirname } from 'node:path';
import { isServant } from '../../protocol/roster.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import { grantedFolders } from './granted-folders.ts';

/** What an elder needs of the user's files, besides its program. All paths are absolute. */
export interface ElderPlaces {
  /** Folders below `.elders` that no other elder has. */
  readonly personal: readonly string[];
  /** Folders below `.elders` that it has in common with others of its kind; the rest of that folder is no business of its. */
  readonly shared: readonly string[];
  /** Folders of the user that it reads. */
  readonly reads: readonly string[];
  /** Whether it starts programs, in any folder that the human names; that of a servant is its work. */
  readonly startsPrograms: boolean;
  /** Whether it has threads for its work; they have the same limits as it. */
  readonly startsThreads: boolean;
}

/** Says what the elder of a name needs. */
export function placesOf(name: string, folder: StateFolder): ElderPlaces {
  const log = dirname(folder.logFile(name));
  if (isServant(name)) {
    const personal = [log, dirname(folder.sandboxRecord(name))];
    return {
      personal,
      shared: [folder.output, folder.worktrees, folder.artifacts],
      reads: [],
      startsPrograms: true,
      startsThreads: false,
    };
  }
  const common = { personal: [log], shared: [], reads: [], startsPrograms: false, startsThreads: false };
  switch (name) {
    case 'grand_elder':
      return { ...common, shared: [dirname(folder.gatewaySocket)] };
    case 'knowledge_sage':
      return { ...common, shared: [folder.index], reads: [folder.project] };
    case 'rag_sage': {
      const reads = [folder.project, ...grantedFolders(folder)];
      return { ...common, shared: [folder.index], reads, startsThreads: true };
    }
    default:
      return common;
  }
}
