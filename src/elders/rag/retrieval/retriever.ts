import { asElderError } from '../../../protocol/errors.ts';
import type { RagAnswer, RagContext, RagHit } from '../../../protocol/rag.ts';
import type { SearchIndex } from '../../search/full-text/search-index.ts';
import { readChunks, readDocuments } from '../../search/query/read-chunks.ts';
import { Searcher } from '../../search/query/searcher.ts';
import { findRepository, headCommit } from '../files/repository.ts';
import { assembleContext } from './context.ts';
import type { EmbeddingSettings } from './embeddings.ts';
import { fuseByRank } from './fuse.ts';
import { nearest } from './vectors.ts';

/** How many of each search are fused. */
const fused = 50;
const contextHits = 40;

interface Narrowed {
  /** Only files below this folder. */
  readonly below: string | null;
  /** Folders that are indexed; nothing else is given. */
  readonly sources: readonly string[];
}

type Passage = Omit<RagHit, 'score' | 'ranks' | 'commit' | 'blob'>;

/** Finds passages by words, and by meaning too where a server gives vectors. */
export class Retriever {
  readonly #index: SearchIndex;
  readonly #searcher: Searcher;
  readonly #embeddings: EmbeddingSettings | null;

  constructor(index: SearchIndex, embeddings: EmbeddingSettings | null) {
    this.#index = index;
    this.#searcher = new Searcher(index);
    this.#embeddings = embeddings;
  }

  /** Finds the best passages. Without vectors, or while their server is away, it is lexical and says so. */
  async search(query: string, limit: number, narrowed: Narrowed): Promise<Omit<RagAnswer, 'indexing'>> {
    const accepts = ({ key }: { readonly key: string }) => isWanted(key, narrowed);
    const filters = { accepts };
    const wanted = this.#embeddings === null ? limit : Math.max(limit, fused);
    const { results } = this.#searcher.search(query, {
      limit: wanted,
      ...(narrowed.below !== null && { filters }),
    });
    const scores = new Map<string, number>();
    const lexical = results
      .filter(({ key }) => isWanted(key, narrowed))
      .map((found): Passage => {
        const { key, path, title, headings, startLine, endLine, text, snippet, attributes } = found;
        scores.set(nameOf({ path: key, startLine }), found.score);
        return {
          ...{ path: key, relativePath: path, title, headings: [...headings], startLine, endLine, text },
          ...{ snippet: snippet.text, highlights: [...snippet.highlights], language: attributes.lang ?? '' },
        };
      });
    const { passages: semantic, reason } = await this.#semantic(query, narrowed);
    const method = semantic === null ? 'lexical' : 'hybrid';
    const merged = fuseByRank([lexical, ...(semantic === null ? [] : [semantic])], nameOf).slice(0, limit);
    const commits = new Map<string, string | null>();
    const hits = merged.map(({ item, score, ranks }): RagHit => {
      const [first = null, second = null] = ranks;
      return {
        ...item,
        score: method === 'lexical' ? (scores.get(nameOf(item)) ?? 0) : score,
        ranks: { lexical: first, vector: second },
        commit: commitOf(item.path, commits),
        blob: this.#index.digest(item.path) ?? '',
      };
    });
    return { method, reason, results: hits };
  }

  /** Puts the best passages together within a budget. */
  async context(query: string, budget: number, narrowed: Narrowed): Promise<RagContext> {
    const { method, reason, results } = await this.search(query, contextHits, narrowed);
    return { method, reason, budget, ...assembleContext(results, budget) };
  }

  async #semantic(
    query: string,
    narrowed: Narrowed,
  ): Promise<{ passages: Passage[] | null; reason: string | null }> {
    if (this.#embeddings === null) return { passages: null, reason: null };
    try {
      const ids = await nearest(this.#index, this.#embeddings, query, fused);
      if (ids.length === 0) return { passages: null, reason: 'no passage has a vector yet' };
      const chunks = readChunks(this.#index, ids);
      const documents = readDocuments(
        this.#index,
        chunks.map(({ documentId }) => documentId),
      );
      const byId = new Map(chunks.map((chunk) => [chunk.id, chunk]));
      const passages = ids.flatMap((id): Passage[] => {
        const chunk = byId.get(id);
        const document = chunk === undefined ? undefined : documents.get(chunk.documentId);
        if (chunk === undefined || document === undefined || !isWanted(document.key, narrowed)) return [];
        const { startLine, endLine, headingPath, text } = chunk;
        return [
          {
            ...{ path: document.key, relativePath: document.path, title: document.title },
            ...{ headings: [...headingPath], startLine, endLine, text },
            ...{ snippet: text.slice(0, 300), highlights: [], language: document.attributes.lang ?? '' },
          },
        ];
      });
      return { passages, reason: null };
    } catch (error) {
      const { code, message } = asElderError(error);
      if (code === 'internal') throw error;
      return { passages: null, reason: message };
    }
  }
}

function nameOf({ path, startLine }: { readonly path: string; readonly startLine: number }): string {
  return `${path}:${startLine}`;
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

function isWanted(path: string, { below, sources }: Narrowed): boolean {
  return (below === null || isBelow(path, below)) && sources.some((source) => isBelow(path, source));
}

/** What git has checked out where a file lies; looked up once per folder and answer. */
function commitOf(path: string, known: Map<string, string | null>): string | null {
  const folder = path.slice(0, path.lastIndexOf('/')) || '/';
  const found = known.get(folder);
  if (found !== undefined) return found;
  const repository = findRepository(folder);
  const commit = repository === undefined ? null : headCommit(repository);
  known.set(folder, commit);
  return commit;
}
