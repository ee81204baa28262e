import { generalConcepts } from './general-concepts.ts';
import { normalize } from './normalize.ts';
import { isUnspaced } from './scripts.ts';
import { softwareConcepts } from './software-concepts.ts';
import { workConcepts } from './work-concepts.ts';

/** Words that mean about the same, in either language. */
export interface Concept {
  readonly japanese: readonly string[];
  readonly english: readonly string[];
}

/** Reads concepts, one a line: Japanese words `=` English ones, parted by commas; `#` opens a comment. */
export function parseConcepts(text: string): Concept[] {
  const split = (words: string) =>
    words
      .split(/[,、]/u)
      .map((word) => word.trim())
      .filter((word) => word !== '');
  return normalize(text)
    .toLowerCase()
    .split(/\r?\n/u)
    .map((line) => line.replace(/#.*$/u, '').trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [japanese = '', english = ''] = line.split('=');
      return { japanese: split(japanese), english: split(english) };
    });
}

/** Reads a dictionary of a project as `parseConcepts` does, whichever language stands on which side. */
export function parseDictionary(text: string): Concept[] {
  return parseConcepts(text).map(({ japanese, english }) => {
    const words = [...japanese, ...english];
    const isJapanese = (word: string) => [...word].some((one) => isUnspaced(one.charCodeAt(0)));
    return { japanese: words.filter(isJapanese), english: words.filter((word) => !isJapanese(word)) };
  });
}

/** Finds the concepts that a word or phrase stands for. */
export class ConceptTable {
  readonly #concepts: readonly Concept[];
  readonly #byWord = new Map<string, number[]>();
  /** The longest Japanese entry, in characters, and the longest English one, in words. */
  readonly longestJapanese: number;
  readonly longestEnglish: number;

  /** What its words count beside those of the built-in vocabulary of software. */
  readonly share: number;

  constructor(concepts: readonly Concept[], share = 1) {
    this.#concepts = concepts;
    this.share = share;
    let japanese = 1;
    let english = 1;
    concepts.forEach((concept, index) => {
      for (const word of [...concept.japanese, ...concept.english]) {
        const known = this.#byWord.get(word);
        if (known === undefined) this.#byWord.set(word, [index]);
        else if (!known.includes(index)) known.push(index);
      }
      for (const word of concept.japanese) japanese = Math.max(japanese, word.length);
      for (const word of concept.english) english = Math.max(english, word.split(' ').length);
    });
    this.longestJapanese = japanese;
    this.longestEnglish = english;
  }

  /** The concepts of a word in lower case; none when it is unknown. */
  of(word: string): readonly Concept[] {
    return (this.#byWord.get(word) ?? []).flatMap((index) => this.#concepts[index] ?? []);
  }
}

/** Words of every day mean more than one thing more often than those of software. */
const generalShare = 0.7;
let builtIn: readonly ConceptTable[] | undefined;

/** The vocabulary that comes with the engine: that of software, and general ones. */
export function builtInConcepts(): readonly ConceptTable[] {
  builtIn ??= [
    new ConceptTable(parseConcepts(softwareConcepts)),
    new ConceptTable(parseConcepts(workConcepts), generalShare),
    new ConceptTable(parseConcepts(generalConcepts), generalShare),
  ];
  return builtIn;
}
