import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { processesTouching } from '../../scripts/processes-touching.ts';
import { filesBelow } from './files-below.ts';

/** What is looked for. */
export interface Secrets {
  /** Texts, of which each character is a byte, that are secret. */
  readonly texts: readonly string[];
  /** SHA-256 of passwords that only their owners know. */
  readonly hashes: ReadonlySet<string>;
}

/** Names the places, of files and of processes, in which one of the secrets stands. */
export function placesOf({ texts, hashes }: Secrets, places: ReadonlyMap<string, string>): string[] {
  const isPassword = (word: string) => hashes.has(createHash('sha256').update(word).digest('hex'));
  return [...places]
    .filter(([, content]) => {
      const words = new Set(hashes.size === 0 ? [] : (content.match(/(?<![\w-])[\w-]{43}(?![\w-])/g) ?? []));
      return texts.some((text) => content.includes(text)) || [...words].some(isPassword);
    })
    .map(([place]) => place);
}

/** Reads all that is there, each byte as a character; empty where nothing can be read. */
export function readBytes(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** All files below a project but those below `except`, and what every process of its tree shows of itself to its user. */
export function everyPlace(project: string, except?: string): Map<string, string> {
  const files = filesBelow(project).filter((path) => except === undefined || !path.startsWith(`${except}/`));
  const shown = processesTouching(project)
    .filter(({ pid }) => pid !== process.pid)
    .flatMap(({ pid }) => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`]);
  return new Map([...files, ...shown].map((path) => [path, readBytes(path)]));
}
