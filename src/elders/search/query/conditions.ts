import { attributeTerm, headMark } from '../full-text/chunk-terms.ts';
import type { StoredChunk, StoredDocument } from '../full-text/document.ts';
import { normalize } from '../language/normalize.ts';
import { isUnspaced } from '../language/scripts.ts';
import { eachTerm } from '../language/terms.ts';
import type { Condition } from './parse-query.ts';
import { quoted } from './postings.ts';

/** What a caller narrows a search by, besides what the query says. */
export interface SearchFilters {
  /** Every tag must be there. */
  readonly tags?: readonly string[];
  /** Every attribute must have this value, or one of these. */
  readonly attributes?: Readonly<Record<string, string | readonly string[]>>;
  /** The path must begin with this. */
  readonly pathPrefix?: string;
  /** Passages of documents for which this says no are left out. */
  readonly accepts?: (document: StoredDocument) => boolean;
}

const attributeFields = new Set(['tag', 'kind', 'source', 'lang']);
/** Terms of one condition that FTS5 is asked about; the text itself is looked at afterwards. */
const mostTerms = 12;

/** Terms that stand in every text which holds this one: where its runs go on in the text, their ends do not. */
function termsOf(text: string): string[] {
  const found = new Set<string>();
  eachTerm(normalize(text), (term, kind) => {
    const isPair = kind === 'gram' && term.length > 1;
    if (isPair || (kind === 'word' && !isUnspaced(term.charCodeAt(0)))) found.add(term);
  });
  return [...found].slice(0, mostTerms);
}

/** Terms that the index leaves out stand in no passage; a condition must not ask for them. */
const leftOut = new Set(['a', 'an', 'and', 'in', 'is', 'of', 'the', 'to']);

function expression(condition: Condition): string | undefined {
  if (condition.negated) return undefined;
  if (condition.field !== undefined && attributeFields.has(condition.field)) {
    return quoted(attributeTerm(condition.field, condition.text));
  }
  // A path is given by any part of it, even of a word.
  if (condition.field === 'path') return undefined;
  const terms = termsOf(condition.text)
    .filter((term) => !leftOut.has(term))
    .map((term) => quoted(condition.field === undefined ? term : headMark + term));
  return terms.length === 0 ? undefined : terms.join(' AND ');
}

/** What FTS5 can tell of conditions and filters; undefined when it is nothing. */
export function restrictionOf(conditions: readonly Condition[], filters: SearchFilters): string | undefined {
  const parts = conditions.flatMap((condition) => expression(condition) ?? []);
  for (const tag of filters.tags ?? []) parts.push(quoted(attributeTerm('tag', tag)));
  for (const [name, value] of Object.entries(filters.attributes ?? {})) {
    const values = typeof value === 'string' ? [value] : value;
    const any = values.map((one) => quoted(attributeTerm(name, one))).join(' OR ');
    // No attribute is called so.
    parts.push(values.length === 0 ? '"=none"' : any);
  }
  return parts.length === 0 ? undefined : parts.map((part) => `(${part})`).join(' AND ');
}

function squeezed(text: string): string {
  return normalize(text).toLowerCase().replaceAll(/\s+/gu, ' ');
}

function holds(condition: Condition, chunk: StoredChunk, document: StoredDocument): boolean {
  const wanted = squeezed(condition.text);
  const headings = () => squeezed([...chunk.headingPath, ...chunk.innerHeadings].join('\n'));
  switch (condition.field) {
    case 'title':
      return squeezed(document.title).includes(wanted);
    case 'path':
      return squeezed(document.path).includes(wanted);
    case 'heading':
      return headings().includes(wanted);
    case 'tag':
      return document.tags.some((tag) => tag.toLowerCase() === wanted);
    case undefined:
      return (
        [chunk.text, document.title, document.path].some((text) => squeezed(text).includes(wanted)) ||
        headings().includes(wanted)
      );
    default:
      return (document.attributes[condition.field] ?? '').toLowerCase() === wanted;
  }
}

/** Whether a passage meets every condition and filter: FTS5 has only told that its terms are there. */
export function meets(
  conditions: readonly Condition[],
  filters: SearchFilters,
  chunk: StoredChunk,
  document: StoredDocument,
): boolean {
  if (filters.pathPrefix !== undefined && !document.path.startsWith(filters.pathPrefix)) return false;
  if (filters.accepts?.(document) === false) return false;
  return conditions.every((condition) => holds(condition, chunk, document) !== condition.negated);
}
