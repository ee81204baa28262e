import type { StoredChunk } from '../full-text/document.ts';
import type { SearchIndex } from '../full-text/search-index.ts';
import { builtInConcepts, type Concept, ConceptTable } from '../language/concepts.ts';
import { candidates, isPrefixTerm } from './candidates.ts';
import { withCompounds } from './compounds.ts';
import { meets, restrictionOf, type SearchFilters } from './conditions.ts';
import { parseQuery } from './parse-query.ts';
import { Postings } from './postings.ts';
import { type RankedChunk, rank } from './rank.ts';
import { readChunks, readDocuments } from './read-chunks.ts';
import { type Explanation, Scorer } from './score.ts';
import { type Snippet, snippetOf } from './snippet.ts';
import { withSpelling } from './spelling.ts';
import type { Form, FormTerm, Unit } from './unit.ts';
import { unitsOf } from './units.ts';

/** How to search. */
export interface SearchOptions {
  /** Passages to give; 10 when left out. */
  readonly limit?: number;
  readonly filters?: SearchFilters;
  /** Say how each score came about. */
  readonly explain?: boolean;
}

/** A passage that was found. */
export interface SearchResult {
  readonly key: string;
  readonly path: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  /** Lines of the passage in its document, counted from 1. */
  readonly startLine: number;
  readonly endLine: number;
  /** The headings it stands under, outermost first. */
  readonly headings: readonly string[];
  /** The passage as it is written. */
  readonly text: string;
  readonly snippet: Snippet;
  /** Comparable within one answer only. */
  readonly score: number;
  readonly explanation?: Explanation;
}

/** What a search gives. */
export interface SearchAnswer {
  /** Full-text search: no model of meaning took part. */
  readonly method: 'lexical';
  readonly results: readonly SearchResult[];
}

/** Passages that are scored in full. */
const candidateLimit = 160;
/** How many more are looked at when conditions have to be checked in the text. */
const conditionFactor = 4;

/** Answers queries from one index. */
export class Searcher {
  readonly #index: SearchIndex;
  #dictionary = new ConceptTable([]);
  readonly #postings: Postings;

  /** `dictionary` holds words that mean the same in this project; see `parseConcepts` for a file of them. */
  constructor(index: SearchIndex, dictionary: readonly Concept[] = []) {
    this.#index = index;
    this.#postings = new Postings(index);
    this.useDictionary(dictionary);
  }

  /** Takes other words of the project from now on. */
  useDictionary(dictionary: readonly Concept[]): void {
    this.#dictionary = new ConceptTable(dictionary);
  }

  /** Finds the passages that answer a query best; an empty query finds nothing. */
  search(query: string, options: SearchOptions = {}): SearchAnswer {
    const limit = options.limit ?? 10;
    const filters = options.filters ?? {};
    const parsed = parseQuery(query.slice(0, longestQuery));
    this.#postings.refresh();
    const units = this.#units(parsed.words, parsed.prefixes);
    const restriction = restrictionOf(parsed.conditions, filters);
    const isNarrowed =
      parsed.conditions.length > 0 || filters.pathPrefix !== undefined || filters.accepts !== undefined;
    const most = Math.max(candidateLimit, limit * 2) * (isNarrowed ? conditionFactor : 1);
    const ids =
      units.length > 0
        ? candidates(this.#index, units, this.#postings, restriction, most)
        : this.#restricted(restriction, parsed.conditions.length > 0, most);
    const chunks = readChunks(this.#index, ids);
    const documents = readDocuments(
      this.#index,
      chunks.map(({ documentId }) => documentId),
    );
    const kept = chunks.filter((chunk) => {
      const document = documents.get(chunk.documentId);
      return document !== undefined && meets(parsed.conditions, filters, chunk, document);
    });
    const scorer = new Scorer(units, this.#postings, averageColumns(kept));
    const scored = kept.flatMap((chunk) => {
      const document = documents.get(chunk.documentId);
      return document === undefined ? [] : [scorer.score(chunk, document)];
    });
    const found = rank(scored).slice(0, limit);
    return { method: 'lexical', results: found.map((one) => resultOf(one, units, options.explain === true)) };
  }

  #units(words: string, prefixes: readonly string[]): Unit[] {
    const asked = unitsOf(words, [this.#dictionary, ...builtInConcepts()]);
    const units = withSpelling(this.#index, withCompounds(asked, this.#postings), this.#postings);
    const beginning = prefixes.map((start): Unit => {
      const form: Form = {
        text: `${start}*`,
        origin: 'prefix',
        weight: 1,
        size: 1,
        strictness: 1,
        terms: [{ term: start, match: 'prefix', share: 1 }],
        phrase: undefined,
      };
      return { text: `${start}*`, weight: 1, forms: [form] };
    });
    const present = units.flatMap((unit) => this.#resolved(unit)).map((unit) => this.#present(unit));
    return [...present, ...beginning];
  }

  /** A compound that stands nowhere is asked for by its parts: a text that says them apart is found then. */
  #resolved({ constituents = [], ...unit }: Unit): Unit[] {
    const own = unit.forms.filter(({ origin }) => origin === 'query');
    const stands = own.some(({ terms }) =>
      terms.every((term) => this.#postings.frequency(term.term, isPrefixTerm(term)) > 0),
    );
    return stands || constituents.length === 0 ? [unit] : [{ ...unit, forms: own }, ...constituents];
  }

  /** Without the ways to say it that stand nowhere: each would be looked for in every passage. */
  #present(unit: Unit): Unit {
    const stands = (term: FormTerm) => this.#postings.frequency(term.term, isPrefixTerm(term)) > 0;
    const forms = unit.forms.filter(({ origin, terms }) => origin === 'query' || terms.some(stands));
    return { ...unit, forms };
  }

  /** Passages for a query that only narrows: those that FTS5 finds, or the newest. */
  #restricted(restriction: string | undefined, hasConditions: boolean, most: number): number[] {
    if (restriction === undefined && !hasConditions) return [];
    const rows =
      restriction === undefined
        ? this.#index.statement('SELECT id FROM chunks ORDER BY id DESC LIMIT ?').all(most * conditionFactor)
        : this.#index
            .statement('SELECT rowid AS id FROM terms WHERE terms MATCH ? LIMIT ?')
            .all(restriction, most);
    return rows.map((row) => Number(row.id));
  }
}

/** A longer query is cut: nobody asks so much, and each word costs a look-up. */
const longestQuery = 1_000;

function averageColumns(chunks: readonly StoredChunk[]): number {
  if (chunks.length === 0) return 1;
  return chunks.reduce((sum, chunk) => sum + chunk.width, 0) / chunks.length;
}

function resultOf(
  { scored, score, explanation }: RankedChunk,
  units: readonly Unit[],
  explain: boolean,
): SearchResult {
  const { chunk, document } = scored;
  const matched = new Set(scored.units.map((unit) => unit.matched));
  return {
    key: document.key,
    path: document.path,
    title: document.title,
    tags: document.tags,
    attributes: document.attributes,
    startLine: chunk.startLine,
    endLine: chunk.endLine,
    headings: chunk.headingPath,
    text: chunk.text,
    snippet: snippetOf(chunk.text, chunk.startLine, scored.best, units, matched),
    score,
    ...(explain ? { explanation } : {}),
  };
}
