import { asElderError } from '../../../protocol/errors.ts';
import type { StoredChunk, StoredDocument } from '../../search/full-text/document.ts';
import type { SearchIndex } from '../../search/full-text/search-index.ts';
import { meets } from '../../search/query/conditions.ts';
import { parseQuery } from '../../search/query/parse-query.ts';
import { readChunks, readDocuments } from '../../search/query/read-chunks.ts';
import type { EmbeddingSettings } from './embeddings.ts';
import { nearest } from './vectors.ts';

/** A server that is away is asked again after this (ms): each search would wait for its deadline. */
const pauseMs = 30_000;

/** Passages near in meaning, the nearest first, or why there are none. */
export type SemanticAnswer =
  | { readonly found: readonly { readonly chunk: StoredChunk; readonly document: StoredDocument }[] }
  | { readonly found: null; readonly reason: string | null };

interface SemanticOptions {
  readonly settings: EmbeddingSettings;
  /** Told where the server gives vectors of another length (bytes) than those of the index. */
  readonly onOtherLength: (bytes: number) => void;
}

/** Finds passages by their vectors. */
export class SemanticSearch {
  readonly #index: SearchIndex;
  readonly #options: SemanticOptions;
  #away: { readonly until: number; readonly reason: string } | undefined;

  constructor(index: SearchIndex, options: SemanticOptions) {
    this.#index = index;
    this.#options = options;
  }

  /** Finds passages that mean what a query says, and meet its conditions. Throws only what is no fault of the server. */
  async search(
    query: string,
    limit: number,
    accepts: (document: StoredDocument) => boolean,
  ): Promise<SemanticAnswer> {
    const { words, conditions } = parseQuery(query);
    // A query that only narrows means nothing by itself.
    if (words === '') return { found: null, reason: null };
    if (this.#away && performance.now() < this.#away.until) return { found: null, reason: this.#away.reason };
    try {
      const { ids, otherLength } = await nearest(this.#index, this.#options.settings, words, limit);
      this.#away = undefined;
      if (otherLength !== undefined) {
        this.#options.onOtherLength(otherLength);
        const reason = 'the embedding server gives vectors of another length than before; all are made anew';
        return { found: null, reason };
      }
      if (ids.length === 0) return { found: null, reason: 'no passage has a vector yet' };
      return {
        found: this.#read(ids).filter(({ chunk, document }) =>
          meets(conditions, { accepts }, chunk, document),
        ),
      };
    } catch (error) {
      const { code, reason } = asElderError(error);
      if (code === 'internal') throw error;
      if (code === 'timed_out') this.#away = { until: performance.now() + pauseMs, reason };
      return { found: null, reason };
    }
  }

  #read(ids: readonly number[]): { chunk: StoredChunk; document: StoredDocument }[] {
    const chunks = new Map(readChunks(this.#index, ids).map((chunk) => [chunk.id, chunk]));
    const documents = readDocuments(
      this.#index,
      [...chunks.values()].map(({ documentId }) => documentId),
    );
    return ids.flatMap((id) => {
      const chunk = chunks.get(id);
      const document = chunk && documents.get(chunk.documentId);
      return chunk && document ? [{ chunk, document }] : [];
    });
  }
}
