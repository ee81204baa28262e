import { readFileSync } from 'node:fs';
import type { Language, Node, Parser, Tree } from '@vscode/tree-sitter-wasm';
import { bounded } from '../../search/chunks/bounded.ts';
import { type Chunk, columns, defaultChunkSize } from '../../search/chunks/chunk.ts';
import { type LineRange, splitLines, trimBlank, windows } from '../../search/chunks/lines.ts';

interface Definition extends LineRange {
  readonly name: string;
  readonly inner: readonly Definition[];
}

/** What gives a piece of code a name, over all grammars. */
const definition =
  /^(?:.*(?:function|method|class|interface|struct|enum|trait|impl|module|namespace|type_alias|constructor|object|record).*_(?:declaration|definition|item|specifier)|function_item|impl_item|mod_item|class|module|method|singleton_method|type_declaration|type_spec|arrow_function|variable_declarator|property_signature)$/u;
/** What only wraps others and is looked into. */
const deepest = 12;
/** Larger files are data more often than code, and parsing them would hold everything else up (characters). */
const mostCharacters = 400_000;
const parseMs = 2_000;

/** Cuts code by its structure: definitions stay whole where they fit, and carry the names that they stand in. */
export class CodeCutter {
  readonly #languages = new Map<string, Language | null>();
  #parser: Parser | undefined;

  /** Loads a grammar; false when it cannot be had. */
  async prepare(grammar: string): Promise<boolean> {
    const known = this.#languages.get(grammar);
    if (known !== undefined) return known !== null;
    try {
      const { default: treeSitter } = await import('@vscode/tree-sitter-wasm');
      if (this.#parser === undefined) {
        await treeSitter.Parser.init();
        this.#parser = new treeSitter.Parser();
      }
      const file = new URL(`tree-sitter-${grammar}.wasm`, import.meta.resolve('@vscode/tree-sitter-wasm'));
      const bytes = readFileSync(file);
      this.#languages.set(grammar, await treeSitter.Language.load(bytes));
      return true;
    } catch {
      this.#languages.set(grammar, null);
      return false;
    }
  }

  /** Cuts a text of a prepared grammar; undefined where that cannot be done, and plain lines have to do. */
  cut(grammar: string, text: string): Chunk[] | undefined {
    const language = this.#languages.get(grammar);
    const parser = this.#parser;
    if (!language || parser === undefined || text.length > mostCharacters) return undefined;
    parser.setLanguage(language);
    const deadline = performance.now() + parseMs;
    let tree: Tree | null = null;
    try {
      tree = parser.parse(text, null, { progressCallback: () => performance.now() > deadline });
      if (tree === null) return undefined;
      return chunksOf(splitLines(text), definitionsIn(tree.rootNode));
    } finally {
      tree?.delete();
      if (tree === null) parser.reset();
    }
  }
}

function nameOf(node: Node): string | undefined {
  const named =
    node.childForFieldName('name') ?? node.childForFieldName('declarator') ?? node.childForFieldName('type');
  if (named === null) return undefined;
  // A declarator of C holds the parameters too.
  const name = named.text.slice(0, 200).split(/[\s({<]/u)[0] ?? '';
  // A pattern that takes a value apart is no name.
  return /^[\p{L}_$#~@*&:]/u.test(name) ? name : undefined;
}

function definitionsIn(node: Node, depth = 0): Definition[] {
  if (depth > deepest) return [];
  const found: Definition[] = [];
  for (const child of node.namedChildren) {
    if (child === null) continue;
    const { row: start } = child.startPosition;
    const { row, column } = child.endPosition;
    const end = column === 0 ? row : row + 1;
    // What stands in one or two lines needs no passage of its own, and most nodes do.
    if (end - start < 3) continue;
    const inner = definitionsIn(child, depth + 1);
    const name = definition.test(child.type) ? nameOf(child) : undefined;
    if (name === undefined) found.push(...inner);
    else found.push({ start, end, name, inner });
  }
  return found;
}

interface Piece extends LineRange {
  readonly path: readonly string[];
  readonly names: readonly string[];
}

function widthOf(lines: readonly string[], { start, end }: LineRange): number {
  let sum = 0;
  for (let at = start; at < end; at += 1) sum += columns(lines[at] ?? '') + 1;
  return sum;
}

function allNames(definitions: readonly Definition[]): string[] {
  return definitions.flatMap(({ name, inner }) => [name, ...allNames(inner)]);
}

/** Divides a range at its definitions, as deep as passages are too large. */
function pieces(
  lines: readonly string[],
  range: LineRange,
  path: readonly string[],
  inner: readonly Definition[],
): Piece[] {
  if (inner.length === 0 || widthOf(lines, range) <= defaultChunkSize.most / 2) {
    return [{ ...range, path, names: allNames(inner) }];
  }
  const found: Piece[] = [];
  let at = range.start;
  for (const each of inner) {
    if (each.start < at) continue;
    const start = withComment(lines, each.start, at);
    if (start > at) found.push({ start: at, end: start, path, names: [] });
    found.push(...pieces(lines, { start, end: each.end }, [...path, each.name], each.inner));
    at = each.end;
  }
  if (at < range.end) found.push({ start: at, end: range.end, path, names: [] });
  return found;
}

/** A comment or decorator right above a definition belongs to it. */
function withComment(lines: readonly string[], start: number, least: number): number {
  let at = start;
  while (at > least && /^\s*(?:\/\/|\/?\*|#|--|@|\[)/u.test(lines[at - 1] ?? '')) at -= 1;
  return at;
}

/** Joins small neighbours, so that a passage says something by itself. */
function chunksOf(lines: readonly string[], definitions: readonly Definition[]): Chunk[] {
  const { least, most } = defaultChunkSize;
  const groups: Piece[][] = [];
  let width = 0;
  for (const piece of pieces(lines, { start: 0, end: lines.length }, [], definitions)) {
    const own = widthOf(lines, piece);
    const group = groups.at(-1);
    if (group !== undefined && (width < least || own < least / 2) && width + own <= most) {
      group.push(piece);
      width += own;
    } else {
      groups.push([piece]);
      width = own;
    }
  }
  return groups.flatMap((group) => {
    const first = group[0]!;
    const last = group.at(-1)!;
    const path = commonPath(group);
    const inner = new Set(group.flatMap((each) => [...each.path.slice(path.length), ...each.names]));
    const range = trimBlank(lines, { start: first.start, end: last.end });
    return windows(lines, range, most).flatMap(({ start, end }) => {
      const text = lines.slice(start, end).join('\n');
      const common = { startLine: start + 1, endLine: end, headingPath: path, innerHeadings: [...inner] };
      return bounded({ ...common, text }, most);
    });
  });
}

function commonPath(group: readonly Piece[]): readonly string[] {
  let path = group[0]?.path ?? [];
  for (const { path: other } of group) {
    let same = 0;
    while (same < path.length && path[same] === other[same]) same += 1;
    path = path.slice(0, same);
  }
  return path;
}
