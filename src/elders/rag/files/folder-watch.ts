import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';

/** More folders are not watched: the kernel has a limit for all programs of a user together. */
const mostFolders = 50_000;
/** Changes that come within this time are looked at together (ms). */
const debounceMs = 150;
/** More changed paths than this, and the folder is looked at as a whole. */
const mostPaths = 2_000;

/** Watches folders one by one: watching whole trees costs a watch for every file on Linux. */
export class FolderWatch {
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #onChange: (paths: readonly string[] | null) => void;
  readonly #root: string;
  #paths = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #complete = true;

  /** `onChange` is told which paths may have changed, or null when all may have. */
  constructor(root: string, onChange: (paths: readonly string[] | null) => void) {
    this.#root = root;
    this.#onChange = onChange;
  }

  /** Whether every folder is watched. */
  get coverage(): 'yes' | 'partly' | 'no' {
    if (this.#complete) return 'yes';
    return this.#watchers.size > 0 ? 'partly' : 'no';
  }

  /** Watches a folder, not those below it. One that is watched already stays so. */
  add(folder: string): void {
    if (this.#watchers.has(folder)) return;
    if (this.#watchers.size >= mostFolders) {
      this.#complete = false;
      return;
    }
    try {
      const watcher = watch(folder, (_, name) => this.#changed(name === null ? folder : join(folder, name)));
      watcher.on('error', () => this.#drop(folder));
      this.#watchers.set(folder, watcher);
    } catch (error) {
      // A folder that is gone or closed to us needs no watch; a limit of the kernel means that others lack one.
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOSPC' || code === 'EMFILE') this.#complete = false;
    }
  }

  /** Stops watching a folder and all below it. */
  forget(folder: string): void {
    for (const path of [...this.#watchers.keys()]) {
      if (path === folder || path.startsWith(`${folder}/`)) this.#drop(path);
    }
  }

  /** Stops watching. */
  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #drop(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }

  #changed(path: string): void {
    this.#paths.add(path);
    // Not put off by each further change, or a file that is written all the time would hold back the others.
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const paths = [...this.#paths];
      this.#paths = new Set();
      const rules = paths.some((each) => each.endsWith('/.gitignore') || each === this.#root);
      this.#onChange(rules || paths.length > mostPaths ? null : paths);
    }, debounceMs);
  }
}
