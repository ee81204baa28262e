import type { RagAnswer, RagContext, RagHit } from '../../../protocol/rag.ts';
import type { SearchIndex } from '../../search/full-text/search-index.ts';
import type { DictionaryFile } from '../../search/language/dictionary-file.ts';
import { Searcher } from '../../search/query/searcher.ts';
import type { SemanticSearch } from '../meaning/semantic.ts';
import { assembleContext } from './context.ts';
import { fuseByRank } from './fuse.ts';
import { Revisions } from './revisions.ts';

/** How many of each search are fused. */
const fused = 50;
const contextHits = 40;

interface Narrowed {
  /** Only files below this folder. */
  readonly below: string | null;
  /** Folders that are indexed; nothing else is given. */
  readonly sources: readonly string[];
  /** Say how each score by words came about. */
  readonly explain?: boolean;
}

interface RetrieverOptions {
  /** Null: by words alone. */
  readonly semantic: SemanticSearch | null;
  readonly dictionary?: DictionaryFile;
}

type Passage = Omit<RagHit, 'score' | 'ranks' | 'commit' | 'modified' | 'blob'>;

/** Finds passages by words, and by meaning too where a server gives vectors. */
export class Retriever {
  readonly #index: SearchIndex;
  readonly #searcher: Searcher;
  readonly #semantic: SemanticSearch | null;
  readonly #dictionary: DictionaryFile | undefined;
  readonly #revisions = new Revisions();

  constructor(index: SearchIndex, { semantic, dictionary }: RetrieverOptions) {
    this.#index = index;
    this.#searcher = new Searcher(index);
    this.#semantic = semantic;
    this.#dictionary = dictionary;
  }

  /** Finds the best passages. Without vectors, or while their server is away, it is lexical and says so. */
  async search(query: string, limit: number, narrowed: Narrowed): Promise<Omit<RagAnswer, 'indexing'>> {
    const accepts = ({ key }: { readonly key: string }) => isWanted(key, narrowed);
    const filters = { accepts };
    const wanted = this.#semantic === null ? limit : Math.max(limit, fused);
    this.#dictionary?.keep(this.#searcher);
    const { results } = this.#searcher.search(query, {
      limit: wanted,
      explain: narrowed.explain === true,
      ...(narrowed.below !== null && { filters }),
    });
    const scores = new Map<string, number>();
    const lexical = results
      .filter(({ key }) => isWanted(key, narrowed))
      .map((found): Passage => {
        const { key, path, title, headings, startLine, endLine, text, snippet, attributes } = found;
        const { explanation } = found;
        scores.set(nameOf({ path: key, startLine, text }), found.score);
        return {
          ...{ path: key, relativePath: path, title, headings: [...headings], startLine, endLine, text },
          ...{ snippet: snippet.text, highlights: [...snippet.highlights], language: attributes.lang ?? '' },
          ...(explanation === undefined ? {} : { explanation: explanation as never }),
        };
      });
    const { passages: semantic, reason } = await this.#nearest(query, narrowed);
    const method = semantic === null ? 'lexical' : 'hybrid';
    const merged = fuseByRank([lexical, ...(semantic === null ? [] : [semantic])], nameOf).slice(0, limit);
    const revisionOf = this.#revisions.look();
    const hits = merged.map(({ item, score, ranks }): RagHit => {
      const [first = null, second = null] = ranks;
      const blob = this.#index.digest(item.path) ?? '';
      return {
        ...item,
        score: method === 'lexical' ? (scores.get(nameOf(item)) ?? 0) : score,
        ranks: { lexical: first, vector: second },
        ...revisionOf(item.path, blob),
        blob,
      };
    });
    return { method, reason, results: hits };
  }

  /** Puts the best passages together within a budget. */
  async context(query: string, budget: number, narrowed: Narrowed): Promise<RagContext> {
    const { method, reason, results } = await this.search(query, contextHits, narrowed);
    return { method, reason, budget, ...assembleContext(results, budget) };
  }

  async #nearest(
    query: string,
    narrowed: Narrowed,
  ): Promise<{ passages: Passage[] | null; reason: string | null }> {
    if (this.#semantic === null) return { passages: null, reason: null };
    const answer = await this.#semantic.search(query, fused, ({ key }) => isWanted(key, narrowed));
    if (answer.found === null) return { passages: null, reason: answer.reason };
    const passages = answer.found.map(({ chunk, document }): Passage => {
      const { startLine, endLine, headingPath, text } = chunk;
      return {
        ...{ path: document.key, relativePath: document.path, title: document.title },
        ...{ headings: [...headingPath], startLine, endLine, text },
        ...{ snippet: text.slice(0, 300), highlights: [], language: document.attributes.lang ?? '' },
      };
    });
    return { passages, reason: null };
  }
}

/** Several passages may stand in one line. */
function nameOf({ path, startLine, text }: Pick<Passage, 'path' | 'startLine' | 'text'>): string {
  return `${path}:${startLine}:${text}`;
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

function isWanted(path: string, { below, sources }: Narrowed): boolean {
  return (below === null || isBelow(path, below)) && sources.some((source) => isBelow(path, source));
}
