import { readFileSync } from 'node:fs';
import { SortedLines } from './sorted-lines.ts';

/** A word of the other language, with how far it is what is meant, from 0 to 1. */
export interface Translation {
  readonly word: string;
  readonly share: number;
}

/** Words for the same as an English one. */
export interface EnglishEntry {
  /** `~` stands in front of what changes of a Japanese word. */
  readonly japanese: readonly string[];
  readonly english: readonly string[];
  /** Its irregular forms: ran of run. */
  readonly irregular: readonly string[];
}

/** What a word means less often. */
const rareShare = 0.7;

function read(name: string): SortedLines {
  return new SortedLines(readFileSync(new URL(`./words/${name}.txt`, import.meta.url)));
}

function parts(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split(',');
}

/** A dictionary of general words, Japanese and English; 2.5 MB of memory. Throws when its files cannot be read. */
export class WordBook {
  readonly #japanese = read('japanese');
  readonly #english = read('english');
  readonly #irregular = read('irregular');
  /** Look-ups that were made before: those of one question repeat. */
  readonly #known = new Map<string, string | undefined>();

  #find(lines: SortedLines, language: string, word: string): string | undefined {
    const key = language + word;
    const known = this.#known.get(key);
    if (known !== undefined || this.#known.has(key)) return known;
    if (this.#known.size > 20_000) this.#known.clear();
    const found = lines.find(word);
    this.#known.set(key, found);
    return found;
  }

  /** Whether a Japanese word stands in the book, in its dictionary form. */
  hasJapanese(word: string): boolean {
    return this.#find(this.#japanese, '<', word) !== undefined;
  }

  /** What a Japanese word means in English, the most usual first; none when it is unknown. */
  japanese(word: string): Translation[] {
    return parts(this.#find(this.#japanese, '<', word)).map((gloss) =>
      gloss.endsWith('?') ? { word: gloss.slice(0, -1), share: rareShare } : { word: gloss, share: 1 },
    );
  }

  /** What an English word is in Japanese, and other English words for it; undefined when it is unknown. */
  english(word: string): EnglishEntry | undefined {
    const entry = this.#find(this.#english, '>', word);
    if (entry === undefined) return undefined;
    const [japanese, english, irregular] = entry.split('=').map(parts);
    return { japanese: japanese ?? [], english: english ?? [], irregular: irregular ?? [] };
  }

  /** The word that an irregular form belongs to: run for ran. */
  lemma(form: string): string | undefined {
    return this.#find(this.#irregular, '!', form);
  }
}

let book: WordBook | undefined;

/** The book that comes with the engine; read when it is first asked for. */
export function wordBook(): WordBook {
  book ??= new WordBook();
  return book;
}
