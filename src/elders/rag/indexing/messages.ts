import type { WireError } from '../../../protocol/errors.ts';
import type { RagAnswer, RagContext, RagVectors } from '../../../protocol/rag.ts';
import type { EmbeddingSettings } from '../meaning/embeddings.ts';
import type { SourceReport } from './source-report.ts';

/** What the threads of the RAG sage are started with. */
export interface ThreadSettings {
  readonly indexPath: string;
  readonly maxFileBytes: number;
  readonly embeddings: EmbeddingSettings | null;
  /** File with words that mean the same in this project. */
  readonly dictionaryPath?: string | undefined;
}

/** What the indexing thread is told. */
export type IndexerOrder =
  | { readonly kind: 'index'; readonly path: string }
  | { readonly kind: 'forget'; readonly path: string }
  | { readonly kind: 'damaged' }
  | { readonly kind: 'other_length'; readonly bytes: number }
  | { readonly kind: 'close' };

/** What the indexing thread tells. */
export type IndexerNews =
  | { readonly kind: 'opened'; readonly rebuilt: string | null }
  | { readonly kind: 'report'; readonly report: SourceReport }
  | { readonly kind: 'forgotten'; readonly path: string }
  | { readonly kind: 'vectors'; readonly vectors: RagVectors | null };

/** A question to the searching thread. */
export type SearchQuestion =
  | {
      readonly id: string;
      readonly kind: 'search';
      readonly query: string;
      readonly limit: number;
      readonly explain?: boolean;
      readonly below: string | null;
      readonly sources: readonly string[];
    }
  | {
      readonly id: string;
      readonly kind: 'context';
      readonly query: string;
      readonly budget: number;
      readonly below: string | null;
      readonly sources: readonly string[];
    };

/** What the searching thread is told. */
export type SearcherOrder = SearchQuestion | { readonly kind: 'opened' };

/** What the searching thread tells: an answer, or that the index is damaged. */
export type SearcherNews =
  | {
      readonly kind: 'answer';
      readonly id: string;
      readonly answer:
        | { readonly result: Omit<RagAnswer, 'indexing'> | RagContext }
        | { readonly error: WireError };
    }
  | { readonly kind: 'damaged' }
  /** The server gives vectors of another length than those of the index. */
  | { readonly kind: 'other_length'; readonly bytes: number }
  | { readonly kind: 'warning'; readonly text: string };
