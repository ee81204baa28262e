import { chunkMarkdown } from '../../search/chunks/markdown.ts';
import type { SearchDocument } from '../../search/full-text/document.ts';
import { SearchIndex } from '../../search/full-text/search-index.ts';
import { DictionaryFile } from '../../search/language/dictionary-file.ts';
import { Searcher, type SearchResult } from '../../search/query/searcher.ts';
import type { EntryRow } from '../entries/tables.ts';
import type { Finder, FinderQuery, Found } from './finder.ts';
import { scanFinder } from './scan-finder.ts';

/** What the core has its process do once a commit has landed. */
export interface IndexEffect {
  readonly kind: 'index';
  readonly id: string;
  /** Null: it is no more. */
  readonly entry: EntryRow | null;
}

interface IndexFinderOptions {
  /** Of the index file. */
  readonly path: string;
  /** File with words that mean the same in this project. */
  readonly dictionaryPath?: string | undefined;
  readonly log: { warn(fields: object, text: string): void };
}

/** Documents that are indexed before others get their turn. */
const slice = 50;
/** Passages of one entry that may come before those of the next. */
const passagesPerEntry = 4;

function documentOf(entry: EntryRow): SearchDocument {
  const { id, title, tags, kind, source, body } = entry;
  const { chunks } = chunkMarkdown(body);
  return {
    key: id,
    path: id,
    title,
    tags,
    attributes: { kind, source },
    digest: String(entry.version),
    // An entry without a text is found by its title all the same.
    chunks:
      chunks.length > 0
        ? chunks
        : [{ startLine: 1, endLine: 1, headingPath: [], innerHeadings: [], text: title }],
  };
}

function foundOf({ key, score, startLine, endLine, headings, snippet, explanation }: SearchResult): Found {
  const { text, highlights } = snippet;
  return {
    ...{ id: key, score, startLine, endLine, headings, snippet: text, highlights: [...highlights] },
    ...(explanation ? { explanation } : {}),
  };
}

/**
 * Finds entries by the full-text index of a file. The state is the truth: the index follows each commit, is compared
 * with the state at the start, and made anew from it where it is missing or damaged. Until it holds all, every
 * entry is looked at instead, so that nothing is missed.
 */
export class IndexFinder implements Finder {
  readonly #options: IndexFinderOptions;
  #index: SearchIndex | null = null;
  #searcher: Searcher | null = null;
  /** What it does not hold yet, by id. */
  readonly #dictionary: DictionaryFile;
  readonly #pending = new Map<string, EntryRow | null>();
  #feeding = false;

  constructor(options: IndexFinderOptions) {
    this.#options = options;
    this.#dictionary = new DictionaryFile(options.dictionaryPath, (text) => options.log.warn({}, text));
  }

  start(rows: Iterable<EntryRow>): void {
    this.#open();
    this.#compare(rows);
    this.#feed();
  }

  /** Does what a commit has made necessary. */
  perform(effect: IndexEffect): void {
    this.#pending.set(effect.id, effect.entry);
    if (this.#feeding) return;
    if (this.#pending.size > 1) this.#feed();
    else this.#putSlice();
  }

  find(query: FinderQuery): ReturnType<Finder['find']> {
    if (this.#pending.size > 0 || !this.#searcher) return scanFinder.find(query);
    try {
      return { method: 'lexical', found: this.#search(this.#searcher, query) };
    } catch (error) {
      this.#anew(error, query.rows());
      return scanFinder.find(query);
    }
  }

  #search(searcher: Searcher, { query, limit, kinds, tags, explain, accepts }: FinderQuery): Found[] {
    this.#dictionary.keep(searcher);
    const { results } = searcher.search(query, {
      limit: limit * passagesPerEntry,
      explain,
      filters: {
        ...(tags.length > 0 && { tags }),
        ...(kinds.length > 0 && { attributes: { kind: kinds } }),
        accepts: ({ key }) => accepts(key),
      },
    });
    const best = new Map<string, SearchResult>();
    for (const result of results) if (!best.has(result.key)) best.set(result.key, result);
    return [...best.values()].slice(0, limit).map(foundOf);
  }

  #open(): void {
    const { path, log } = this.#options;
    try {
      this.#index = SearchIndex.open(path);
    } catch (error) {
      log.warn({ path, error: String(error) }, 'the index cannot be kept in a file; it is kept in memory');
      this.#index = SearchIndex.open(':memory:');
    }
    const { rebuilt } = this.#index;
    if (rebuilt === 'corrupt') log.warn({ path }, 'the index was damaged; it is made anew from the state');
    this.#searcher = new Searcher(this.#index);
  }

  #compare(rows: Iterable<EntryRow>): void {
    const held = new Map([...(this.#index?.keys() ?? [])].map(({ key, digest }) => [key, digest]));
    for (const row of rows) {
      if (held.get(row.id) !== String(row.version)) this.#pending.set(row.id, row);
      held.delete(row.id);
    }
    for (const id of held.keys()) this.#pending.set(id, null);
  }

  /** Opens it again, which makes a damaged file anew, and has it filled from the state. */
  #anew(error: unknown, rows: Iterable<EntryRow>): void {
    this.#options.log.warn({ error: String(error) }, 'the index failed; it is opened again');
    this.close();
    this.#open();
    this.#compare(rows);
    this.#feed();
  }

  #feed(): void {
    if (this.#feeding || this.#pending.size === 0) return;
    this.#feeding = true;
    setImmediate(() => {
      this.#feeding = false;
      if (this.#putSlice()) this.#feed();
    });
  }

  /** Gives whether it succeeded; where not, everything stays pending and searches look at every entry. */
  #putSlice(): boolean {
    const index = this.#index;
    if (!index) return false;
    const some = [...this.#pending].slice(0, slice);
    try {
      index.batch(() => {
        for (const [id, entry] of some) {
          if (entry) index.put(documentOf(entry));
          else index.remove(id);
        }
      });
    } catch (error) {
      this.#options.log.warn(
        { error: String(error) },
        'the index takes nothing; entries are looked at one by one',
      );
      return false;
    }
    for (const [id] of some) this.#pending.delete(id);
    return true;
  }

  /** Closes the file. */
  close(): void {
    this.#searcher = null;
    this.#index?.close();
    this.#index = null;
  }
}
