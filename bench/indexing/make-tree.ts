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

/** Blocks of real text: functions and paragraphs of this project, its tools and the given corpus. */
function blocksOf(patterns: readonly string[], folder: string): string[] {
  return patterns
    .flatMap((pattern) => globSync(pattern, { cwd: folder }).sort().slice(0, 600))
    .flatMap((path) =>
      readFileSync(join(folder, path), 'utf8')
        .slice(0, 60_000)
        .split(/\n(?=\n|export |function |#)/u),
    )
    .filter((block) => block.length > 40 && block.length < 4_000);
}

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

/** Writes a tree of mixed files: code, Markdown, HTML, settings, plain text, Shift_JIS and binary ones. */
function makeTree(folder: string, options: { files: number; bytes: number; corpus: string }): MadeTree {
  const random = seededRandom(20_261_122);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const code = blocksOf(['src/**/*.ts', 'test/**/*.ts', 'node_modules/{zod,commander,bullmq}/**/*.js'], root);
  const prose = [...blocksOf(['{ja,en}/**/*.md'], options.corpus), ...blocksOf(['docs/**/*.md'], root)];
  const average = options.bytes / options.files;
  const paths: string[] = [];
  let bytes = 0;
  for (let number = 0; number < options.files; number += 1) {
    const kind = random();
    // A few large files and many small ones, as in real trees.
    const size =
      average *
      0.07 *
      Math.exp(
        2.35 *
          Math.sqrt(-2 * Math.log(1 - random() * 0.995)) *
          Math.abs(Math.cos(2 * Math.PI * random())) *
          0.8,
      );
    const path = join(
      folder,
      `part${number % 40}`,
      `unit${number % 500}`,
      `${newWord(random)}-${number}${ending(kind)}`,
    );
    const content = contentOf(kind, Math.min(size, 2_000_000), { code, prose, pick, random });
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

function contentOf(
  kind: number,
  size: number,
  given: {
    code: readonly string[];
    prose: readonly string[];
    pick: <T>(list: readonly T[]) => T;
    random: () => number;
  },
): string | Buffer {
  const { code, prose, pick, random } = given;
  if (kind >= 0.96) return Buffer.alloc(Math.floor(size), 0);
  const blocks = kind < 0.45 ? code : prose;
  const words = Array.from({ length: 12 }, () => newWord(random));
  let text = kind < 0.8 && kind >= 0.7 ? `<html><title>${words[0]}</title>\n` : '';
  while (text.length < size) {
    // Each copy gets words of its own, or the vocabulary would be that of a small tree.
    const block = pick(blocks).replaceAll(/\b[a-z]{7,12}\b/gu, (word) =>
      random() < 0.12 ? pick(words) : word,
    );
    if (kind >= 0.7 && kind < 0.8)
      text += `<h2>${pick(words)}</h2>\n<p>${block.replaceAll('<', '&lt;')}</p>\n`;
    else if (kind >= 0.8 && kind < 0.88)
      text += `${pick(words)}:\n  text: >\n${block.replaceAll(/^/gmu, '    ')}\n`;
    else text += `${block}\n\n`;
  }
  return text;
}

const [folder = '', files = '0', bytes = '0', corpus = ''] = process.argv.slice(2);
process.stdout.write(
  JSON.stringify(makeTree(folder, { files: Number(files), bytes: Number(bytes), corpus })),
);
