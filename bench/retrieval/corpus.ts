import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Chunk } from '../../src/elders/search/chunks/chunk.ts';
import { chunkMarkdown } from '../../src/elders/search/chunks/markdown.ts';

/** A document of the corpus, cut into the passages that every contestant gets. */
export interface CorpusDocument {
  readonly path: string;
  readonly title: string;
  readonly chunks: readonly Chunk[];
}

/** Reads and cuts every document below `ja` and `en`. Throws when a file cannot be read. */
export function readCorpus(folder: string): CorpusDocument[] {
  return globSync('{ja,en}/**/*.md', { cwd: folder })
    .concat(globSync('{ja,en}/**/.*.md', { cwd: folder }))
    .sort()
    .filter((path, at, all) => path !== all[at - 1])
    .map((path) => {
      const { title, chunks } = chunkMarkdown(readFileSync(join(folder, path), 'utf8'));
      return { path, title: title ?? path, chunks };
    });
}
