import type { CorpusDocument } from './corpus.ts';

/** A passage that a contestant gave, best first. */
export interface Found {
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
}

/** A search engine in the comparison. */
export interface Contestant {
  readonly name: string;
  /** Takes all documents in. */
  load(documents: readonly CorpusDocument[]): void | Promise<void>;
  search(question: string, limit: number): readonly Found[] | Promise<readonly Found[]>;
  close?(): void;
}

/** A passage with everything that stands above it, as the plain engines take it. */
export interface FlatPassage extends Found {
  readonly id: number;
  readonly title: string;
  readonly headings: string;
  readonly text: string;
}

/** Every passage of the corpus by itself. */
export function flatten(documents: readonly CorpusDocument[]): FlatPassage[] {
  let id = 0;
  return documents.flatMap(({ path, title, chunks }) =>
    chunks.map(({ startLine, endLine, headingPath, innerHeadings, text }) => {
      id += 1;
      return {
        id,
        path,
        startLine,
        endLine,
        title,
        headings: [...headingPath, ...innerHeadings].join('\n'),
        text,
      };
    }),
  );
}
