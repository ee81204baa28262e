import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a made-up tree holds. */
export interface MadeTree {
  readonly files: number;
  readonly bytes: number;
  /** Of files that hold text. */
  readonly paths: readonly string[];
}

const root = join(import.meta.dirname, '../..');

/** Numbers from 0 to 1, the same for the same seed. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Where a paragraph ends, and where a statement of a module begins: code cut elsewhere would be no code. */
const betweenParagraphs = /\n(?=\n|#)/u;
const betweenStatements =
  /\n(?=(?:\/\*\*|export |import |async |function |class |const |interface |type |test\())(?<!\*\/\n)/u;

/** Blocks of real text: statements and paragraphs of this project, its tools and the given corpus. */
function blocksOf(patterns: readonly string[], folder: string, between: RegExp): string[] {
  return patterns
    .flatMap((pattern) => globSync(pattern, { cwd: folder }).sort().slice(0, 600))
    .flatMap((path) => {
      const text = readFileSync(join(folder, path), 'utf8');
      const blocks = text.slice(0, 60_000).split(between);
      return text.length > 60_000 ? blocks.slice(0, -1) : blocks;
    })
    .filter((block) => block.length > 40 && block.length < 6_000);
}

/** Of the words that are replaced by others, those which are not the language's own. */
const keywords = new Set(
  'abstract continue debugger default extends finally function implements instanceof interface namespace private protected readonly require returns satisfies undefined'.split(
    ' ',
  ),
);

const syllables =
  'ka to re mi no so ra chi lo ben dar fi gul hex jor kin lam mor nex pol qua rit sen tur vol wex yar zed'.split(
    ' ',
  );

/** A word of a vocabulary in which few words are frequent and many are rare. */
function newWord(random: () => number): string {
  let rank = Math.floor(40_000 ** random());
  let word = '';
  do {
    word += syllables[rank % syllables.length];
    rank = Math.floor(rank / syllables.length);
  } while (rank > 0);
  return word;
}

/** Sizes of files that sum up to about `bytes`: a few large ones and many small ones, as in real trees. */
function sizesOf(files: number, bytes: number, random: () => number): number[] {
  const raw = Array.from({ length: files }, () =>
    Math.exp(
      1.88 * Math.sqrt(-2 * Math.log(1 - random() * 0.995)) * Math.abs(Math.cos(2 * Math.PI * random())),
    ),
  );
  const unit = bytes / raw.reduce((sum, one) => sum + one, 0);
  return raw.map((one) => Math.min(one * unit, 2_000_000));
}

/** Writes a tree of mixed files: code, Markdown, HTML, settings, plain text and binary ones. */
function makeTree(folder: string, options: { files: number; bytes: number; corpus: string }): MadeTree {
  const random = seededRandom(20_261_122);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const texts: Texts = {
    ts: blocksOf(['src/**/*.ts', 'test/**/*.ts'], root, betweenStatements),
    js: blocksOf(['node_modules/{zod,commander,bullmq}/**/*.js'], root, betweenStatements),
    prose: [
      ...blocksOf(['{ja,en}/**/*.md'], options.corpus, betweenParagraphs),
      ...blocksOf(['docs/**/*.md'], root, betweenParagraphs),
    ],
  };
  const sizes = sizesOf(options.files, options.bytes, random);
  const paths: string[] = [];
  let bytes = 0;
  for (let number = 0; number < options.files; number += 1) {
    const kind = random();
    const path = join(
      folder,
      `part${number % 40}`,
      `unit${number % 500}`,
      `${newWord(random)}-${number}${ending(kind)}`,
    );
    const content = contentOf(kind, sizes[number] ?? 0, { texts, pick, random });
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    bytes += Buffer.byteLength(content as string);
    if (kind < 0.96) paths.push(path);
  }
  return { files: options.files, bytes, paths };
}

function ending(kind: number): string {
  if (kind < 0.3) return '.ts';
  if (kind < 0.45) return '.js';
  if (kind < 0.7) return '.md';
  if (kind < 0.8) return '.html';
  if (kind < 0.88) return '.yaml';
  return kind < 0.96 ? '.txt' : '.bin';
}

interface Texts {
  readonly ts: readonly string[];
  readonly js: readonly string[];
  readonly prose: readonly string[];
}

function contentOf(
  kind: number,
  size: number,
  given: { texts: Texts; pick: <T>(list: readonly T[]) => T; random: () => number },
): string | Buffer {
  const { texts, pick, random } = given;
  if (kind >= 0.96) return Buffer.alloc(Math.floor(size), 0);
  const { ts, js, prose } = texts;
  const blocks = kind < 0.3 ? ts : kind < 0.45 ? js : prose;
  const words = Array.from({ length: 12 }, () => newWord(random));
  const parts = kind < 0.8 && kind >= 0.7 ? [`<html><title>${words[0]}</title>\n`] : [];
  for (let length = 0; length < size; ) {
    // Each copy gets words of its own, or the vocabulary would be that of a small tree.
    const block = pick(blocks).replaceAll(/\b[a-z]{7,12}\b/gu, (word) =>
      random() < 0.12 && !keywords.has(word) ? pick(words) : word,
    );
    const part =
      kind >= 0.7 && kind < 0.8
        ? `<h2>${pick(words)}</h2>\n<p>${block.replaceAll('<', '&lt;')}</p>\n`
        : kind >= 0.8 && kind < 0.88
          ? `${pick(words)}:\n  text: >\n${block.replaceAll(/^/gmu, '    ')}\n`
          : `${block}\n\n`;
    parts.push(part);
    length += Buffer.byteLength(part);
  }
  return parts.join('');
}

const [folder = '', files = '0', bytes = '0', corpus = ''] = process.argv.slice(2);
process.stdout.write(
  JSON.stringify(makeTree(folder, { files: Number(files), bytes: Number(bytes), corpus })),
);
