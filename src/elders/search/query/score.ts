import type { StoredChunk, StoredDocument } from '../full-text/document.ts';
import { normalize } from '../language/normalize.ts';
import { isPartlyJapanese } from '../language/scripts.ts';
import { Neighbours } from './adjacency.ts';
import { isPrefixTerm } from './candidates.ts';
import { densest, type Hit, headingFit, type Span } from './closeness.ts';
import { Holders } from './holders.ts';
import { countOccurrences, eachPlaceOf, type Searchable, searchable } from './occurrences.ts';
import type { Postings } from './postings.ts';
import { Rarity } from './rarity.ts';
import type { Form, FormOrigin, FormTerm, Unit } from './unit.ts';
import { scoreWeights } from './weights.ts';

/** The stretch of text in which what is asked should stand together (columns). */
const windowColumns = 260;
const mostRepeats = 6;
/** Places of one thing asked for that are looked at for what stands beside them. */
const mostPlaces = 12;

/** What one thing asked for added to a score. */
export interface UnitScore {
  readonly unit: string;
  /** The words that were met. */
  readonly matched: string;
  readonly origin: FormOrigin;
  readonly score: number;
}

/** How a score came about: `score` = `terms` × `coverage` × `proximity` × `adjacency` × `heading` × `language` × `prior`, plus `document` and `neighbours`. */
export interface Explanation {
  readonly terms: number;
  readonly units: readonly UnitScore[];
  readonly coverage: number;
  readonly proximity: number;
  readonly adjacency: number;
  readonly heading: number;
  readonly language: number;
  readonly prior: number;
  readonly document: number;
  readonly neighbours: number;
}

/** A passage with what it scored by itself. */
export interface ScoredChunk {
  readonly chunk: StoredChunk;
  readonly document: StoredDocument;
  readonly text: Searchable;
  readonly terms: number;
  readonly units: readonly UnitScore[];
  readonly coverage: number;
  readonly proximity: number;
  readonly adjacency: number;
  readonly heading: number;
  readonly language: number;
  /** `terms` × `coverage` × `proximity` × `adjacency` × `heading` × `language` × `prior`. */
  readonly own: number;
  /** Where most of what is asked stands together. */
  readonly best: Span;
}

interface Field {
  readonly text: Searchable;
  readonly weight: number;
}

/** Scores passages for one query. */
export class Scorer {
  readonly #units: readonly Unit[];
  readonly #idf = new Map<string, number>();
  readonly #holders: Holders;
  readonly #rarity: Rarity;
  readonly #possible: readonly number[];
  readonly #neighbours: Neighbours;
  readonly #averageColumns: number;
  readonly #isJapanese: boolean;
  readonly #otherLanguage: number;
  readonly #fields = new Map<number, readonly Field[]>();

  constructor(units: readonly Unit[], postings: Postings, averageColumns: number) {
    this.#units = units;
    this.#isJapanese = units.some(({ text }) => isPartlyJapanese(text));
    this.#averageColumns = averageColumns;
    this.#otherLanguage = 1 - (1 - scoreWeights.otherLanguage) * postings.japaneseShare;
    for (const term of units.flatMap((unit) => unit.forms.flatMap((form) => form.terms))) {
      this.#idf.set(term.term, postings.idf(term.term, isPrefixTerm(term)));
    }
    this.#holders = new Holders(units, postings);
    this.#rarity = new Rarity(units, postings);
    // What a unit is worth in the coverage: by how much it tells passages apart, but nothing is worth nothing.
    this.#possible = units.map((unit) => {
      const own = unit.forms.find(({ origin }) => origin === 'query') ?? unit.forms[0];
      const idfs = (own?.terms ?? []).map(({ term }) => this.#idf.get(term) ?? 0);
      return unit.weight * Math.max(1, Math.min(8, ...(idfs.length > 0 ? [Math.max(...idfs)] : [1])));
    });
    this.#neighbours = new Neighbours(units, this.#possible);
  }

  /** What stands above every passage of a document. */
  #documentFields(document: StoredDocument): readonly Field[] {
    const known = this.#fields.get(document.id);
    if (known !== undefined) return known;
    const made = fieldsOf([
      [document.title, scoreWeights.title],
      [document.path, scoreWeights.path],
      [document.tags.join('\n'), scoreWeights.tags],
    ]);
    this.#fields.set(document.id, made);
    return made;
  }

  /** Scores one passage by itself. */
  score(chunk: StoredChunk, document: StoredDocument): ScoredChunk {
    const text = searchable(normalize(chunk.text));
    const path = chunk.headingPath;
    const own = [...path.slice(-1), ...chunk.innerHeadings];
    // What has no headings, such as a short entry, is headed by its title.
    const headings = searchable(normalize(own.length > 0 ? own.join('\n') : document.title));
    const fields: Field[] = [
      { text, weight: 1 },
      { text: headings, weight: scoreWeights.heading },
      ...fieldsOf([[path.slice(0, -1).join('\n'), scoreWeights.ancestors]]),
      ...this.#documentFields(document),
    ];
    const { k1, b } = scoreWeights;
    const length = k1 * (1 - b + (b * chunk.width) / this.#averageColumns);
    const saturate = (count: number) => (count === 0 ? 0 : (count * (k1 + 1)) / (count + length));
    const units: UnitScore[] = [];
    const hits: Hit[] = [];
    const headingHits: Hit[] = [];
    const asked = new Set<number>();
    let covered = 0;
    let possible = 0;
    let sum = 0;
    this.#units.forEach((unit, index) => {
      const worth = this.#possible[index] ?? 0;
      possible += worth;
      let best: UnitScore | undefined;
      let bestForm: Form | undefined;
      let bestShare = 0;
      for (const form of unit.forms) {
        const { score, share } = this.#form(form, chunk.id, fields, saturate);
        const weighted = unit.weight * form.weight * score * this.#rarity.left(form);
        if (weighted <= (best?.score ?? 0)) continue;
        best = { unit: unit.text, matched: form.text, origin: form.origin, score: weighted };
        bestForm = form;
        bestShare = share * form.weight;
      }
      if (best === undefined || bestForm === undefined) return;
      units.push(best);
      sum += best.score;
      covered += worth * Math.min(1, bestShare);
      if (best.origin === 'query' || best.origin === 'prefix') asked.add(index);
      if (unit.weight < 0.3) return;
      eachPlaceOf(bestForm, text, mostPlaces, (start, end) => hits.push({ unit: index, start, end }));
      eachPlaceOf(bestForm, headings, mostRepeats, (start, end) =>
        headingHits.push({ unit: index, start, end }),
      );
    });
    const coverage = 1 - scoreWeights.coverage * (1 - covered / Math.max(possible, 1e-9));
    const characters = text.text.length / Math.max(1, chunk.width);
    const { span, share } = densest(hits, this.#possible, windowColumns * characters);
    const proximity = 1 + scoreWeights.proximity * share;
    const together = this.#neighbours.share([hits, headingHits], asked, characters);
    const adjacency = 1 + scoreWeights.adjacency * together;
    const heading = 1 + scoreWeights.headingFit * headingFit(headings.text, headingHits, this.#possible);
    const language = this.#isJapanese && !isPartlyJapanese(chunk.text) ? this.#otherLanguage : 1;
    const score = sum * coverage * proximity * adjacency * heading * language * document.prior;
    return {
      chunk,
      document,
      text,
      terms: sum,
      units,
      coverage,
      proximity,
      adjacency,
      heading,
      language,
      own: score,
      best: span,
    };
  }

  /** The score of a form, and the share of its terms (by weight) that the passage holds. */
  #form(
    form: Form,
    id: number,
    fields: readonly Field[],
    saturate: (count: number) => number,
  ): { score: number; share: number } {
    let score = 0;
    let met = 0;
    let all = 0;
    let shares = 0;
    for (const term of form.terms) {
      const idf = this.#idf.get(term.term) ?? 0;
      all += term.share * idf;
      shares += term.share;
      if (this.#holders.exclude(term, id)) continue;
      const count = countIn(fields, term);
      if (count === 0) continue;
      score += term.share * idf * saturate(count);
      met += term.share * idf;
    }
    if (met === 0) return { score: 0, share: 0 };
    const share = met / all;
    if (form.phrase !== undefined && share > 0.9) {
      const whole = countIn(fields, { term: form.phrase, match: 'anywhere', share: 1 });
      if (whole > 0) score += scoreWeights.phrase * all * saturate(whole);
    }
    return {
      score: (form.size * score * share ** (form.strictness - 1)) / shares,
      share: share ** form.strictness,
    };
  }
}

function fieldsOf(parts: readonly (readonly [string, number])[]): Field[] {
  return parts
    .filter(([text]) => text !== '')
    .map(([text, weight]) => ({ text: searchable(normalize(text)), weight }));
}

function countIn(fields: readonly Field[], term: FormTerm): number {
  let count = 0;
  for (const field of fields) count += field.weight * countOccurrences(field.text, term, mostRepeats);
  return count;
}
