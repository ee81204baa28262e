import type { KnowledgeFilters } from '../../../protocol/knowledge.ts';
import type { EntryRow } from '../entries/tables.ts';

/** An entry that answers a question, with its best passage. */
export interface Found {
  readonly id: string;
  /** Comparable within one answer only. */
  readonly score: number;
  /** Lines of the passage in the body, counted from 1. */
  readonly startLine: number;
  readonly endLine: number;
  readonly headings: readonly string[];
  readonly snippet: string;
  /** In the snippet. */
  readonly highlights: readonly { readonly start: number; readonly end: number }[];
  readonly explanation?: unknown;
}

/** What is searched for. */
export interface FinderQuery extends Pick<KnowledgeFilters, 'kinds' | 'tags'> {
  readonly query: string;
  readonly limit: number;
  readonly explain: boolean;
  /** All entries, as the state has them. */
  readonly rows: () => Iterable<EntryRow>;
  /** Whether an entry may be found at all. */
  readonly accepts: (id: string) => boolean;
}

/**
 * Finds entries by words. What it answers must follow from the state alone: a search is part of the core, which is
 * replayed and simulated.
 */
export interface Finder {
  /** Told once, before the first search, what the state holds. */
  start(rows: Iterable<EntryRow>): void;
  find(query: FinderQuery): { readonly method: 'lexical' | 'scan'; readonly found: readonly Found[] };
}
