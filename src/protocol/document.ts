import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  visit,
} from 'yaml';
import type { z } from 'zod';
import { type Path, pathText, schemaProblems } from './schema-problems.ts';

/** The most characters that a document may have; far more than a directive of the most tasks needs. */
export const maxDocumentLength = 4_194_304;

/** How often aliases may be used, counted after expansion, so that a small file cannot become a huge value. */
const maxAliases = 100;

/** No more syntax errors than this are told: the rest usually follows from the first. */
const maxSyntaxProblems = 20;

const tooDeep = 'the document is nested too deeply';

/** A place in a document, both counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Something wrong with a document, and where. */
export interface Problem extends Place {
  /** Such as `tasks[1].needs[0]`; empty for the whole. */
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** Finds where the key or the value at a path stands, or the nearest part above it that exists. */
export type Locate = (path: Path, on?: 'key' | 'value') => Place;

/** A document as plain data, or why it cannot be read. */
export type Parsed =
  | { readonly ok: true; readonly raw: unknown; readonly at: Locate }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A document that fits its schema, or everything that is wrong with it. */
export type Read<T> =
  | { readonly ok: true; readonly value: T; readonly raw: unknown; readonly at: Locate }
  | { readonly ok: false; readonly problems: readonly Problem[] };

type Placer = (offset: number) => Place;

function placer(lines: LineCounter): Placer {
  return (offset) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
}

function unresolvedAlias(document: Document): { source: string; offset: number } | undefined {
  let found: { source: string; offset: number } | undefined;
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document) !== undefined) return undefined;
      found = { source: alias.source, offset: alias.range?.[0] ?? 0 };
      return visit.BREAK;
    },
  });
  return found;
}

function locator(document: Document, place: Placer): Locate {
  return (path, on = 'value') => {
    let node = document.contents as Node | null | undefined;
    let offset = node?.range?.[0] ?? 0;
    for (const [index, step] of path.entries()) {
      if (isAlias(node)) node = node.resolve(document);
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(step));
        if (!pair) break;
        const key = pair.key as Node | null;
        const value = pair.value as Node | null;
        const last = index === path.length - 1;
        offset = (last && on === 'key' ? key : (value ?? key))?.range?.[0] ?? offset;
        node = value;
      } else if (isSeq(node) && typeof step === 'number') {
        const item = node.items[step] as Node | undefined;
        if (!item) break;
        offset = item.range?.[0] ?? offset;
        node = item;
      } else break;
    }
    return place(offset);
  };
}

const first: Place = { line: 1, column: 1 };

function refuse(code: string, message: string, at: Place = first): Parsed {
  return { ok: false, problems: [{ path: '', ...at, code, message }] };
}

function syntaxText(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'this key stands in this mapping twice';
  if (code === 'TAB_AS_INDENT') return 'a tab is used for indentation; use spaces';
  return message.charAt(0).toLowerCase() + message.slice(1);
}

function parse(text: string): Parsed {
  if (text.length > maxDocumentLength) {
    return refuse('too_large', `the document has more than ${maxDocumentLength} characters`);
  }
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  const place = placer(lines);
  const [document, second] = Array.isArray(documents) ? documents : [];
  if (document === undefined) return { ok: true, raw: null, at: () => first };
  const flaws = [...document.errors, ...document.warnings];
  // The parser reports its exhausted stack as one syntax error per level.
  const nested = flaws.find(({ message }) => message.includes('call stack'));
  if (nested) return refuse('syntax', tooDeep, place(nested.pos[0]));
  if (flaws.length > 0) {
    const problems = flaws.slice(0, maxSyntaxProblems).map((flaw) => {
      const code = flaw.code === 'DUPLICATE_KEY' ? 'duplicate_key' : 'syntax';
      return { path: '', ...place(flaw.pos[0]), code, message: syntaxText(flaw.code, flaw.message) };
    });
    return { ok: false, problems };
  }
  if (second !== undefined) {
    return refuse('syntax', 'a second document starts here; only one is allowed', place(second.range[0]));
  }
  const unresolved = unresolvedAlias(document);
  if (unresolved) {
    return refuse(
      'syntax',
      `no anchor "${unresolved.source}" stands before this alias`,
      place(unresolved.offset),
    );
  }
  try {
    return { ok: true, raw: document.toJS({ maxAliasCount: maxAliases }), at: locator(document, place) };
  } catch (error) {
    if (error instanceof ReferenceError) return refuse('syntax', 'aliases are used too often');
    throw error;
  }
}

/** Reads one YAML or JSON document into plain data. An empty document is `null`. */
export function parseDocument(text: string): Parsed {
  try {
    return parse(text);
  } catch (error) {
    // The parser is recursive: nesting that exhausts the stack is a fault of the document, not of the program.
    if (error instanceof RangeError) return refuse('syntax', tooDeep);
    throw error;
  }
}

/** Checks plain data against a schema and places each problem with `at`. */
export function checkValue<S extends z.ZodType>(raw: unknown, schema: S, at: Locate): Read<z.output<S>> {
  const checked = schema.safeParse(raw);
  if (checked.success) return { ok: true, value: checked.data, raw, at };
  const problems = schemaProblems(checked.error, schema, raw).map(({ path, on, code, message }) => ({
    path: pathText(path),
    ...at(path, on),
    code,
    message,
  }));
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  return { ok: false, problems };
}

/** Reads one YAML or JSON document and checks it against a schema; unknown keys of strict objects are problems. */
export function readDocument<S extends z.ZodType>(text: string, schema: S): Read<z.output<S>> {
  const parsed = parseDocument(text);
  return parsed.ok ? checkValue(parsed.raw, schema, parsed.at) : parsed;
}
