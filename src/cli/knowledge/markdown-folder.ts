import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { asElderError, ElderError } from '../../protocol/errors.ts';
import { type KnowledgeContent, maxKnowledgeBody } from '../../protocol/knowledge.ts';
import { parseEntry, renderEntry } from './markdown-entry.ts';

/** An entry with the file it was read from. */
export interface FileEntry {
  /** Below the folder. */
  readonly path: string;
  readonly text: string;
  readonly entry: KnowledgeContent;
}

/** A file that could not be taken, and why. */
export interface FileProblem {
  readonly path: string;
  readonly reason: string;
}

/** What a folder of Markdown files holds. */
export interface MarkdownFolder {
  readonly files: readonly FileEntry[];
  readonly problems: readonly FileProblem[];
}

const extension = /\.(?:md|markdown)$/iu;
const skipped = new Set(['node_modules']);
/** Of UTF-8; a body is checked by its characters later. */
const mostBytes = maxKnowledgeBody * 4;

function pathsOf(folder: string, below: string, problems: FileProblem[]): string[] {
  let children: ReturnType<typeof list>;
  try {
    children = list(join(folder, below));
  } catch (error) {
    problems.push({ path: below, reason: String((error as Error).message) });
    return [];
  }
  return children.flatMap((child) => {
    const path = below === '' ? child.name : `${below}/${child.name}`;
    if (child.name.startsWith('.') || skipped.has(child.name)) return [];
    // A link may lead outside, or around in a circle.
    if (child.isDirectory()) return pathsOf(folder, path, problems);
    return child.isFile() && extension.test(child.name) ? [path] : [];
  });
}

function list(folder: string) {
  return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readText(path: string): string {
  if (statSync(path).size > mostBytes) throw new ElderError('too_large', `larger than ${mostBytes} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
  } catch (cause) {
    if (cause instanceof TypeError) throw new ElderError('malformed', 'it is not UTF-8', { cause });
    throw cause;
  }
}

/** Gives the id that a file has by its path. */
export function idOfPath(path: string): string {
  return path.replace(extension, '').normalize('NFC');
}

/** Reads every Markdown file below a folder, hidden ones and links apart. Throws `usage` if it is no folder. */
export function readMarkdownFolder(folder: string): MarkdownFolder {
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder) throw new ElderError('usage', `${folder} is not a folder`);
  const problems: FileProblem[] = [];
  const files = new Map<string, FileEntry>();
  for (const path of pathsOf(folder, '', problems)) {
    try {
      const text = readText(join(folder, path));
      const entry = parseEntry(text, idOfPath(path));
      const other = files.get(entry.id);
      if (other) problems.push({ path, reason: `${other.path} has the id ${entry.id} already` });
      else files.set(entry.id, { path, text, entry });
    } catch (error) {
      problems.push({ path, reason: asElderError(error).reason });
    }
  }
  return { files: [...files.values()], problems };
}

/** What writing a folder came to: paths below it. */
export interface WrittenFolder {
  readonly written: readonly string[];
  readonly unchanged: number;
  readonly problems: readonly FileProblem[];
}

/**
 * Writes entries as Markdown files, each where its file is already or else by its id. A file that says the same is
 * left as it is, and so are all others; one that cannot be read is never overwritten.
 */
export function writeMarkdownFolder(folder: string, entries: Iterable<KnowledgeContent>): WrittenFolder {
  mkdirSync(folder, { recursive: true });
  const { files, problems: unreadable } = readMarkdownFolder(folder);
  const known = new Map(files.map((file) => [file.entry.id, file]));
  const taken = new Map(unreadable.map((problem) => [problem.path, problem]));
  const others = new Map(files.map((file) => [file.path, file]));
  const written: string[] = [];
  const problems: FileProblem[] = [];
  let unchanged = 0;
  for (const entry of entries) {
    const present = known.get(entry.id);
    const path = present?.path ?? `${entry.id}.md`;
    const blocked = present ? undefined : (taken.get(path) ?? others.get(path));
    if (blocked) {
      const reason = 'reason' in blocked ? blocked.reason : `it holds the entry ${blocked.entry.id}`;
      problems.push({ path, reason });
    } else if (present && isDeepStrictEqual(present.entry, entry)) {
      unchanged += 1;
    } else {
      writeWhole(join(folder, path), renderEntry(entry, idOfPath(path), present?.text));
      written.push(path);
    }
  }
  return { written, unchanged, problems };
}

function writeWhole(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const draft = join(dirname(path), `.${process.pid}.elders.tmp`);
  writeFileSync(draft, text);
  renameSync(draft, path);
}
