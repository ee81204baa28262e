import { type Dirent, lstatSync, readdirSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { IgnoreRules } from './ignore-rules.ts';
import { markOf, type Reason, reasonOf } from './read-file.ts';
import { findRepository } from './repository.ts';

/** A file that a walk has come upon. */
export interface WalkedFile {
  readonly path: string;
  /** Tells its state from the next one; '' when it could not be looked at. */
  readonly mark: string;
  readonly size: number;
  /** Set when it is no use opening it. */
  readonly reason?: Reason;
  readonly detail?: string;
}

/** The rules that hold in a folder, those of the folders around it included. */
export function rulesIn(folder: string): IgnoreRules {
  const repository = findRepository(folder);
  if (repository === undefined) return IgnoreRules.read(folder);
  const chain: string[] = [];
  for (let at = folder; at !== repository.root; at = dirname(at)) chain.unshift(at);
  let rules = IgnoreRules.read(repository.root, undefined, repository.gitFolder);
  for (const each of chain) rules = IgnoreRules.read(each, rules);
  return rules;
}

/**
 * Yields every file below a folder that is not ignored. `onFolder` is told of each folder before it is read. Links
 * are not followed, so there are no loops; what cannot be read is yielded with the reason.
 */
export function* walk(
  folder: string,
  options: { readonly rules?: IgnoreRules; readonly onFolder?: (folder: string) => void } = {},
): Generator<WalkedFile> {
  const stack: { folder: string; rules: IgnoreRules }[] = [
    { folder, rules: options.rules ?? rulesIn(folder) },
  ];
  // The same folder may be mounted within itself.
  const seen = new Set<string>();
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { folder: at, rules } = next;
    options.onFolder?.(at);
    let entries: Dirent[];
    try {
      const { dev, ino } = lstatSync(at, { bigint: true });
      if (seen.has(`${dev}:${ino}`)) continue;
      seen.add(`${dev}:${ino}`);
      entries = readdirSync(at, { withFileTypes: true });
    } catch (error) {
      const { reason, detail } = reasonOf(error);
      if (reason !== 'gone') yield { path: at, mark: '', size: 0, reason, detail: `folder: ${detail}` };
      continue;
    }
    for (const entry of entries) {
      const path = join(at, entry.name);
      if (rules.ignores(path, entry.isDirectory())) continue;
      if (entry.name.includes('\ufffd') && seenAt(path) === undefined) yield unnameable(path);
      else if (entry.isDirectory()) stack.push({ folder: path, rules: IgnoreRules.read(path, rules) });
      else if (entry.isFile()) yield lookAt(path);
      else
        yield {
          path,
          mark: 'special',
          size: 0,
          reason: 'not_a_file',
          detail: entry.isSymbolicLink() ? 'a symbolic link' : 'no regular file',
        };
    }
  }
}

/** A name of other bytes than UTF-8, which this program cannot say: it is told, and the file is not taken for gone. */
function unnameable(path: string): WalkedFile {
  return { path, mark: 'special', size: 0, reason: 'unreadable', detail: 'its name is not valid UTF-8' };
}

/** What stands at a path; undefined when nothing does, or nothing that may be seen. */
export function seenAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Looks at one file without opening it. */
export function lookAt(path: string): WalkedFile {
  try {
    const stats = lstatSync(path, { bigint: true });
    const mark = markOf(stats);
    if (stats.isFile()) return { path, mark, size: Number(stats.size) };
    return { path, mark: 'special', size: 0, reason: 'not_a_file', detail: 'no regular file' };
  } catch (error) {
    return { path, mark: '', size: 0, ...reasonOf(error) };
  }
}
