import { bounded } from './bounded.ts';
import { type Chunk, type ChunkSize, columns, defaultChunkSize } from './chunk.ts';
import { type LineRange, splitLines, trimBlank, windows } from './lines.ts';

interface Heading {
  readonly level: number;
  readonly text: string;
}

interface Section extends LineRange {
  /** Its own heading is the last of the path. */
  readonly path: readonly Heading[];
}

/** A Markdown document cut into passages. */
export interface MarkdownDocument {
  /** The first heading of the first level, or the first heading; undefined without any. */
  readonly title: string | undefined;
  readonly chunks: readonly Chunk[];
}

const atxHeading = /^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$/u;
/** A section of fewer columns says nothing by itself. */
const alone = 100;
const fence = /^ {0,3}(?:>[ ]?)*(`{3,}|~{3,})/u;

/** What stands in each passage below a heading; a longer one is a mistake (characters). */
const longestHeading = 300;

/** A heading as a person reads it: no emphasis, links, code marks or anchors. */
function plainHeading(text: string): string {
  return text
    .slice(0, longestHeading)
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/gu, '$1')
    .replaceAll(/\{#[^}]*\}|<[^>]*>/gu, '')
    .replaceAll(/\*\*|__|`/gu, '')
    .trim();
}

/** The lines of front matter at the top, with its fences; 0 without any. */
function frontMatterLines(lines: readonly string[]): number {
  if (lines[0] !== '---') return 0;
  const end = lines.findIndex((line, at) => at > 0 && (line === '---' || line === '...'));
  return end === -1 ? 0 : end + 1;
}

function sections(lines: readonly string[]): Section[] {
  const found: Section[] = [];
  let path: Heading[] = [];
  let start = frontMatterLines(lines);
  let open: string | undefined;
  const close = (end: number) => {
    const range = trimBlank(lines, { start, end });
    if (range.start < range.end) found.push({ ...range, path });
    start = end;
  };
  for (let at = start; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const mark = fence.exec(line)?.[1];
    if (mark !== undefined) {
      if (open === undefined) open = mark;
      else if (mark[0] === open[0] && mark.length >= open.length) open = undefined;
      continue;
    }
    const match = open === undefined ? atxHeading.exec(line) : null;
    if (match === null) continue;
    close(at);
    const level = match[1]?.length ?? 1;
    path = [
      ...path.filter((heading) => heading.level < level),
      { level, text: plainHeading(match[2] ?? '') },
    ];
  }
  close(lines.length);
  return found;
}

function size(lines: readonly string[], { start, end }: LineRange): number {
  let sum = 0;
  for (let at = start; at < end; at += 1) sum += columns(lines[at] ?? '') + 1;
  return sum;
}

/** Whether `next` stands below `first`'s heading or beside it under the same parent. */
function isNear(first: Section, next: Section): boolean {
  const own = first.path.at(-1);
  if (own === undefined) return true;
  if (next.path.includes(own)) return true;
  const parent = first.path.at(-2);
  return parent === undefined ? own.level > 1 : next.path.includes(parent);
}

/** Joins small neighbours, so that a heading does not stand alone. */
function join(lines: readonly string[], all: readonly Section[], limits: ChunkSize): Section[][] {
  const groups: Section[][] = [];
  let group: Section[] = [];
  let width = 0;
  for (const section of all) {
    const own = size(lines, section);
    const first = group[0];
    const fits = width < limits.least || own < limits.least / 2;
    if (
      first !== undefined &&
      fits &&
      width + own <= limits.most / 2 &&
      (width < alone || isNear(first, section))
    ) {
      group.push(section);
      width += own;
      continue;
    }
    if (group.length > 0) groups.push(group);
    group = [section];
    width = own;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

/** Cuts a Markdown text into passages by its headings; code fences and front matter hold no headings. */
export function chunkMarkdown(text: string, limits: ChunkSize = defaultChunkSize): MarkdownDocument {
  const lines = splitLines(text);
  const all = sections(lines);
  const headings = all.flatMap(({ path }) => path);
  const title = (headings.find(({ level }) => level === 1) ?? headings[0])?.text;
  const chunks: Chunk[] = [];
  for (const group of join(lines, all, limits)) {
    const first = group[0];
    const last = group.at(-1);
    if (first === undefined || last === undefined) continue;
    const headingPath = first.path.map((heading) => heading.text);
    const innerHeadings = group.slice(1).flatMap(({ path }) => path.at(-1)?.text ?? []);
    for (const { start, end } of windows(lines, { start: first.start, end: last.end }, limits.most)) {
      const body = lines.slice(start, end).join('\n');
      const chunk = { startLine: start + 1, endLine: end, headingPath, innerHeadings, text: body };
      chunks.push(...bounded(chunk, limits.most));
    }
  }
  return { title, chunks };
}
