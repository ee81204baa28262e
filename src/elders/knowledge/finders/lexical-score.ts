const runs =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}ー々]+|[[\p{L}\p{N}_]--[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}ー々]]+/gv;
const japanese = /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}ー々]/u;

/**
 * Splits a text into search terms: NFKC, lower case, words as they are, Japanese runs into overlapping pairs
 * of characters, so that two-character words such as 障害 are found inside longer runs.
 */
export function terms(text: string): Set<string> {
  const found = new Set<string>();
  for (const [run] of text.normalize('NFKC').toLowerCase().matchAll(runs)) {
    const characters = [...run];
    if (!japanese.test(run) || characters.length === 1) {
      found.add(run);
      continue;
    }
    for (let at = 0; at + 1 < characters.length; at += 1) found.add(`${characters[at]}${characters[at + 1]}`);
  }
  return found;
}

/** Scores a document by the share of the wanted terms it holds; a term in the title counts three times. 0 to 3. */
export function score(wanted: ReadonlySet<string>, title: string, body: string): number {
  if (wanted.size === 0) return 0;
  const inTitle = terms(title);
  const inBody = terms(body);
  let sum = 0;
  for (const term of wanted) sum += inTitle.has(term) ? 3 : inBody.has(term) ? 1 : 0;
  return sum / wanted.size;
}
