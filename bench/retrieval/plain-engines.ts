import { DatabaseSync } from 'node:sqlite';
import { type Contestant, type FlatPassage, flatten } from './contestant.ts';

const japanese = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}ー々]/u;
const runs =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}ー々]+|[^\P{L}\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]+|\p{N}+/gu;

function everything(passage: FlatPassage): string {
  return `${passage.title}\n${passage.headings}\n${passage.text}`;
}

/** FTS5 with the tokenizer `trigram` as it comes; a question asks for any of its trigrams. */
export function trigram(): Contestant {
  const database = new DatabaseSync(':memory:');
  database.exec("CREATE VIRTUAL TABLE passages USING fts5(text, tokenize = 'trigram')");
  const byId = new Map<number, FlatPassage>();
  return {
    name: 'fts5-trigram',
    load(documents) {
      const insert = database.prepare('INSERT INTO passages (rowid, text) VALUES (?, ?)');
      database.exec('BEGIN');
      for (const passage of flatten(documents)) {
        byId.set(passage.id, passage);
        insert.run(passage.id, everything(passage));
      }
      database.exec('COMMIT');
    },
    search(question, limit) {
      const grams = new Set<string>();
      for (const word of question.split(/[\s。、？?！!「」（）()・,."'`]+/u)) {
        const characters = [...word];
        for (let at = 0; at + 2 < characters.length; at += 1)
          grams.add(characters.slice(at, at + 3).join(''));
      }
      if (grams.size === 0) return [];
      const match = [...grams].map((gram) => `"${gram.replaceAll('"', '""')}"`).join(' OR ');
      return database
        .prepare('SELECT rowid FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT ?')
        .all(match, limit)
        .flatMap((row) => byId.get(Number(row.rowid)) ?? []);
    },
    close: () => database.close(),
  };
}

/** Pairs of characters of Japanese runs, and whole words otherwise. */
function bigrams(text: string): string[] {
  const found: string[] = [];
  for (const [run] of text.normalize('NFKC').toLowerCase().matchAll(runs)) {
    const characters = [...run];
    if (!japanese.test(run) || characters.length === 1) found.push(run);
    else
      for (let at = 0; at + 1 < characters.length; at += 1)
        found.push(`${characters[at]}${characters[at + 1]}`);
  }
  return found;
}

/** BM25 (k1 1.2, b 0.75) over pairs of characters and words, one field, nothing else. */
export function bigramBm25(): Contestant {
  const postings = new Map<string, Map<number, number>>();
  const lengths: number[] = [];
  let passages: FlatPassage[] = [];
  let average = 1;
  return {
    name: 'bigram-bm25',
    load(documents) {
      passages = flatten(documents);
      passages.forEach((passage, at) => {
        const terms = bigrams(everything(passage));
        lengths.push(terms.length);
        for (const term of terms) {
          const posting = postings.get(term) ?? new Map<number, number>();
          posting.set(at, (posting.get(at) ?? 0) + 1);
          postings.set(term, posting);
        }
      });
      average = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length);
    },
    search(question, limit) {
      const scores = new Map<number, number>();
      for (const term of new Set(bigrams(question))) {
        const posting = postings.get(term);
        if (posting === undefined) continue;
        const idf = Math.log(1 + (passages.length - posting.size + 0.5) / (posting.size + 0.5));
        for (const [at, count] of posting) {
          const norm = count + 1.2 * (0.25 + (0.75 * (lengths[at] ?? 0)) / average);
          scores.set(at, (scores.get(at) ?? 0) + (idf * count * 2.2) / norm);
        }
      }
      return [...scores]
        .sort(([, a], [, b]) => b - a)
        .slice(0, limit)
        .flatMap(([at]) => passages[at] ?? []);
    },
  };
}
