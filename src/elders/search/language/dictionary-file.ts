import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../../protocol/config.ts';
import type { StateFolder } from '../../../protocol/state-folder.ts';
import { type Concept, parseDictionary } from './concepts.ts';

/** Larger is no list of words (bytes). */
const mostBytes = 1_000_000;

/** Where the dictionary of a project lies; undefined when it has none. */
export function dictionaryPathOf(
  folder: Pick<StateFolder, 'project'>,
  { dictionary }: Config['search'],
): string | undefined {
  return dictionary === undefined ? undefined : join(folder.project, dictionary);
}

/** The words of a project, read anew when their file has changed. */
export class DictionaryFile {
  readonly #path: string | undefined;
  readonly #warn: (text: string) => void;
  #mark = '';
  #concepts: readonly Concept[] = [];
  readonly #kept = new WeakMap<object, readonly Concept[]>();

  constructor(path: string | undefined, warn: (text: string) => void) {
    this.#path = path;
    this.#warn = warn;
  }

  /** Sees to it that a searcher uses the words as they are now. What cannot be read is warned of once; there are no words then. */
  keep(searcher: { useDictionary(dictionary: readonly Concept[]): void }): void {
    if (this.#path === undefined) return;
    this.#refresh(this.#path);
    if ((this.#kept.get(searcher) ?? []) === this.#concepts) return;
    searcher.useDictionary(this.#concepts);
    this.#kept.set(searcher, this.#concepts);
  }

  #refresh(path: string): void {
    let mark = 'missing';
    try {
      const { size, mtimeMs, ino } = statSync(path);
      mark = `${size}:${mtimeMs}:${ino}`;
      if (mark === this.#mark) return;
      if (size > mostBytes) throw new Error(`larger than ${mostBytes} bytes`);
      this.#concepts = parseDictionary(readFileSync(path, 'utf8'));
    } catch (error) {
      if (mark === this.#mark) return;
      this.#concepts = [];
      this.#warn(`the dictionary ${path} cannot be read: ${(error as Error).message}`);
    }
    this.#mark = mark;
  }
}
