/** Where a way to match came from; results name it in their explanation. */
export type FormOrigin = 'query' | 'synonym' | 'translation' | 'sound' | 'spelling' | 'prefix' | 'dictionary';

/** How a term is looked for in a text: as a whole word, by its stem, as the beginning of a word, or anywhere. */
export type TermMatch = 'word' | 'stem' | 'prefix' | 'anywhere';

/** A term with its share in the form it belongs to. */
export interface FormTerm {
  readonly term: string;
  readonly match: TermMatch;
  readonly share: number;
}

/** One way in which a passage can speak of a unit. */
export interface Form {
  readonly text: string;
  readonly origin: FormOrigin;
  readonly weight: number;
  readonly terms: readonly FormTerm[];
  /** What it is worth beside a single word when all of it is met. */
  readonly size: number;
  /** How much less a part of it is worth: 1 by its share, more where a part is another word. */
  readonly strictness: number;
  /** The words as they stand, lower case: found whole in a passage they count more. */
  readonly phrase: string | undefined;
}

/** One thing that a query asks for, with every way to say it. */
export interface Unit {
  readonly text: string;
  readonly weight: number;
  readonly forms: readonly Form[];
  /** What a compound consists of; asked for where the compound itself stands nowhere. */
  readonly constituents?: readonly Unit[];
}
