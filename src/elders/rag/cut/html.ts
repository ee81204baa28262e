import { Parser } from 'htmlparser2';
import type { Chunk } from '../../search/chunks/chunk.ts';
import { chunkMarkdown } from '../../search/chunks/markdown.ts';
import { chunkPlainText } from '../../search/chunks/plain-text.ts';

const silent = new Set(['script', 'style', 'noscript', 'template', 'svg', 'head']);
const cells = new Set(['td', 'th', 'img']);
const blocks = new Set(
  (
    'address article aside blockquote body br dd details dialog div dl dt fieldset figcaption figure footer form ' +
    'h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tr ul'
  ).split(' '),
);

/** The text of a page, as Markdown with its headings. */
interface PageText {
  /** One or more for each line of the file: pages are often written without line ends. */
  readonly rows: readonly { readonly text: string; readonly line: number }[];
  readonly title: string | undefined;
}

/** A page cut into passages, which are cited by the lines of the file. */
export interface HtmlDocument {
  readonly title: string | undefined;
  readonly chunks: readonly Chunk[];
}

/** The parser takes ever longer for elements within elements; no page for people is so deep. */
const deepest = 1_000;

/** Gives undefined for a page that is too deep. */
function textOf(html: string): PageText | undefined {
  const lines = Array.from({ length: html.split('\n').length }, () => ['']);
  let line = 0;
  let seen = 0;
  /** Counts lines up to an offset; offsets only grow. */
  const rowsAt = (offset: number): string[] => {
    for (let at = html.indexOf('\n', seen); at !== -1 && at < offset; at = html.indexOf('\n', seen)) {
      line += 1;
      seen = at + 1;
    }
    return lines[line] ?? [''];
  };
  const append = (rows: string[], text: string) => {
    rows[rows.length - 1] += text;
  };
  const openRow = (rows: string[]) => {
    if (rows.at(-1)?.trim() !== '') rows.push('');
  };
  let muted = 0;
  let depth = 0;
  let inTitle = false;
  let title = '';
  const parser: Parser = new Parser(
    {
      onopentag(name) {
        depth += 1;
        if (depth > deepest) parser.pause();
        if (name === 'title') inTitle = true;
        if (silent.has(name)) muted += 1;
        if (muted > 0) return;
        const rows = rowsAt(parser.startIndex);
        if (blocks.has(name)) openRow(rows);
        if (/^h[1-6]$/u.test(name)) append(rows, `${'#'.repeat(Number(name[1]))} `);
        else if (name === 'li') append(rows, '- ');
        else if (cells.has(name)) append(rows, ' ');
      },
      onclosetag(name) {
        depth -= 1;
        if (name === 'title') inTitle = false;
        if (silent.has(name)) muted = Math.max(0, muted - 1);
        else if (muted === 0 && blocks.has(name)) openRow(rowsAt(parser.startIndex));
      },
      ontext(text) {
        if (inTitle) title += text;
        if (muted > 0) return;
        let rows = rowsAt(parser.startIndex);
        for (const [at, part] of text.split('\n').entries()) {
          if (at > 0) rows = lines[line + at] ?? [''];
          const clean = part.replaceAll(/\s+/gu, ' ');
          // A space alone stands between two words, or at the beginning of a row, where it says nothing.
          if (clean.trim() !== '' || rows.at(-1) !== '') append(rows, clean);
        }
      },
    },
    { decodeEntities: true, lowerCaseTags: true },
  );
  parser.end(html);
  if (depth > deepest) return undefined;
  const rows = lines.flatMap((each, at) =>
    each
      .filter((text, row) => row === 0 || text.trim() !== '')
      .map((text) => ({ text: text.trimEnd(), line: at })),
  );
  return { rows, title: title.trim().slice(0, 300) || undefined };
}

/** Cuts a page at its headings; what is not shown to readers is left out. */
export function chunkHtml(html: string): HtmlDocument {
  const text = textOf(html);
  // Tags within tags stop the pattern, or it would look at the rest of the page for each.
  if (text === undefined)
    return { title: undefined, chunks: chunkPlainText(html.replaceAll(/<[^<>]*>/gu, ' ')) };
  const { rows, title } = text;
  const page = chunkMarkdown(rows.map(({ text }) => text).join('\n'));
  const lineOf = (row: number) => (rows[row - 1]?.line ?? 0) + 1;
  const chunks = page.chunks.map((chunk) => {
    return { ...chunk, startLine: lineOf(chunk.startLine), endLine: lineOf(chunk.endLine) };
  });
  return { title: title ?? page.title, chunks };
}
