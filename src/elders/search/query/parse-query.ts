import { normalize } from '../language/normalize.ts';

/** The fields that a query can name: `title:…`. */
export const queryFields = ['title', 'heading', 'path', 'tag', 'kind', 'source', 'lang'] as const;
/** One of `queryFields`. */
export type QueryField = (typeof queryFields)[number];

/** A condition that every result meets, or none where it is negated. */
export interface Condition {
  /** Undefined: anywhere in the passage or above it. */
  readonly field: QueryField | undefined;
  readonly text: string;
  readonly negated: boolean;
}

/** A query as written, taken apart. */
export interface ParsedQuery {
  /** What is asked in plain words; what matches it best comes first. */
  readonly words: string;
  /** Quoted phrases, fields and exclusions. */
  readonly conditions: readonly Condition[];
  /** Beginnings of words: `config*`. */
  readonly prefixes: readonly string[];
}

const fieldNames = queryFields.join('|');
const part = new RegExp(
  `(?<=^|\\s)(-?)(?:(${fieldNames}):)?(?:"([^"]+)"|“([^”]+)”)|(?<=^|\\s)(-?)(${fieldNames}):(\\S+)|(?<=^|\\s)-([^\\s-]\\S*)`,
  'giu',
);
const prefix = /(?<=^|\s)([\p{L}\p{N}_.-]{2,})\*(?=\s|$)/gu;

/** Takes a query apart: quoted phrases, `field:value`, `-without`, `prefix*`, and plain words. */
export function parseQuery(query: string): ParsedQuery {
  const conditions: Condition[] = [];
  const prefixes: string[] = [];
  const add = (field: string | undefined, text: string, sign: string | undefined) => {
    const known = queryFields.find((name) => name === field?.toLowerCase());
    conditions.push({ field: known, text: normalize(text).trim(), negated: sign === '-' });
  };
  const words = normalize(query)
    .replaceAll(part, (...match: (string | undefined)[]) => {
      const [, quotedSign, quotedField, straight, curly, sign, field, value, without] = match;
      const quoted = straight ?? curly;
      if (quoted !== undefined) {
        add(quotedField, quoted, quotedSign);
        // A phrase asked for is also what the passage should be about.
        return quotedSign === '-' || quotedField !== undefined ? ' ' : ` ${quoted} `;
      }
      if (value !== undefined) add(field, value, sign);
      else if (without !== undefined) add(undefined, without, '-');
      return ' ';
    })
    .replaceAll(prefix, (_, start: string) => {
      prefixes.push(start.toLowerCase());
      return ' ';
    });
  return { words: words.trim(), conditions, prefixes };
}
