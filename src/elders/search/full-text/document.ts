import type { Chunk } from '../chunks/chunk.ts';

/** A document as the index takes it. */
export interface SearchDocument {
  /** Names the document in this index; a second one with the same key replaces the first. */
  readonly key: string;
  /** Where a person finds it; searched by `path:`. */
  readonly path: string;
  readonly title: string;
  readonly tags?: readonly string[];
  /** Values that results can be filtered by, such as `{ kind: 'lesson', source: 'repo' }`. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Of what it was made; `SearchIndex.digest` gives it back, to tell whether it changed. */
  readonly digest?: string;
  /** How much it is worth beside others of the same relevance; 1 when left out. */
  readonly prior?: number;
  readonly chunks: readonly Chunk[];
}

/** What the index keeps of a document besides its passages. */
export interface StoredDocument {
  readonly id: number;
  readonly key: string;
  readonly path: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly digest: string;
  readonly prior: number;
}

/** A passage as it is stored. */
export interface StoredChunk extends Chunk {
  readonly id: number;
  readonly documentId: number;
  /** How long its text is; see `columns`. */
  readonly width: number;
}
