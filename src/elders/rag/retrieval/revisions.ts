import { GitIndex } from '../files/git-index.ts';
import { findRepository, headCommit, type Repository } from '../files/repository.ts';

/** Which state of a repository a file is cited in. */
export interface Revision {
  /** Null where git does not track the file, or there is no commit yet. */
  readonly commit: string | null;
  /** Whether the content differs from what git tracks; null where that cannot be told. */
  readonly modified: boolean | null;
}

const none: Revision = { commit: null, modified: null };
/** Repositories whose lists of files are kept in memory. */
const mostIndexes = 20;

/** Tells revisions of files. */
export class Revisions {
  readonly #indexes = new Map<string, GitIndex>();

  /** Gives a look-up for one answer: what is checked out is read once per folder. */
  look(): (path: string, blob: string) => Revision {
    const folders = new Map<string, { repository: Repository; commit: string | null } | null>();
    return (path, blob) => {
      const folder = path.slice(0, path.lastIndexOf('/')) || '/';
      let found = folders.get(folder);
      if (found === undefined) {
        const repository = findRepository(folder);
        found = repository === undefined ? null : { repository, commit: headCommit(repository) };
        folders.set(folder, found);
      }
      if (found === null) return none;
      const tracked = this.#indexOf(found.repository).blobOf(path);
      if (tracked === null) return none;
      return { commit: found.commit, modified: tracked === undefined ? null : tracked !== blob };
    };
  }

  #indexOf(repository: Repository): GitIndex {
    const known = this.#indexes.get(repository.gitFolder);
    if (known !== undefined) return known;
    if (this.#indexes.size >= mostIndexes) this.#indexes.clear();
    const made = new GitIndex(repository);
    this.#indexes.set(repository.gitFolder, made);
    return made;
  }
}
