import { type Chunk, columns } from '../chunks/chunk.ts';
import { chunkTerms } from './chunk-terms.ts';
import type { SearchDocument } from './document.ts';

/** A passage with its terms. */
export interface PreparedChunk {
  readonly chunk: Chunk;
  readonly width: number;
  /** Parted by spaces. */
  readonly terms: string;
}

/** A document with its passages split into terms: plain data, so that a worker thread can make and send it. */
export interface PreparedDocument {
  readonly document: Omit<SearchDocument, 'chunks'>;
  readonly chunks: readonly PreparedChunk[];
  /** Its words that a query may misspell, each once. */
  readonly words: readonly string[];
}

/** Splits a document into terms: about half of the work of adding it, and the half that needs no database. */
export function prepareDocument({ chunks, ...document }: SearchDocument): PreparedDocument {
  const words = new Set<string>();
  const base = `${document.title}\n${document.path}\n${(document.tags ?? []).join(' ')}`;
  return {
    document,
    chunks: chunks.map((chunk) => {
      const head = `${base}\n${[...chunk.headingPath, ...chunk.innerHeadings].join('\n')}`;
      return {
        chunk,
        width: columns(chunk.text),
        terms: chunkTerms(head, chunk.text, (word) => words.add(word)),
      };
    }),
    words: [...words],
  };
}
