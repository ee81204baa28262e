import { readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';

/** What is never indexed, whatever `.gitignore` says. */
const never = new Set(['.git', '.hg', '.svn', '.elders', 'node_modules', '.DS_Store']);

/** The ignore rules that hold in one folder: its own and those of the folders around it. */
export class IgnoreRules {
  readonly #folder: string;
  readonly #own: Ignore | undefined;
  readonly #around: IgnoreRules | undefined;

  private constructor(folder: string, own: Ignore | undefined, around: IgnoreRules | undefined) {
    this.#folder = folder;
    this.#own = own;
    this.#around = around;
  }

  /** Reads the rules of a folder; `gitFolder` is the repository's `.git` where the folder is its root. */
  static read(folder: string, around?: IgnoreRules, gitFolder?: string): IgnoreRules {
    const texts = [
      ...(gitFolder === undefined ? [] : [readText(join(gitFolder, 'info', 'exclude'))]),
      readText(join(folder, '.gitignore')),
    ].filter((text) => text !== '');
    const own = texts.length === 0 ? undefined : ignore().add(texts.join('\n'));
    // Most folders have none.
    return own === undefined && around !== undefined ? around : new IgnoreRules(folder, own, around);
  }

  /** Whether a file or folder is left out. The innermost rule that speaks of it decides, as with git. */
  ignores(path: string, isFolder: boolean): boolean {
    const name = path.slice(path.lastIndexOf(sep) + 1);
    return never.has(name) || this.#says(path, isFolder);
  }

  #says(path: string, isFolder: boolean): boolean {
    if (this.#own !== undefined) {
      const inside = relative(this.#folder, path).split(sep).join('/');
      const { ignored, unignored } = this.#own.test(isFolder ? `${inside}/` : inside);
      if (ignored) return true;
      if (unignored) return false;
    }
    return this.#around === undefined ? false : this.#around.#says(path, isFolder);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
