import { readTaskReference, type TaskReference } from './task-reference.ts';

/** Results of a task that a condition may compare with. */
export type NeedResult = 'succeeded' | 'failed' | 'cancelled' | 'skipped';

/** What a condition is decided on. */
export interface ConditionFacts {
  /** Whether every need succeeded. */
  readonly succeeded: boolean;
  /** Whether a need, or something that a skipped need waited for, failed. */
  readonly failed: boolean;
  /** The result of a need; of a matrix the worst one. */
  result(need: string): NeedResult;
  /** An output of a need; empty if it has none of that name. */
  output(need: string, name: string): string;
  readonly matrix: Readonly<Record<string, string>>;
}

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'status'; readonly name: 'success' | 'failure' | 'always' }
  | TaskReference
  | { readonly kind: 'not'; readonly of: Node }
  | { readonly kind: 'and' | 'or' | 'same' | 'differs'; readonly left: Node; readonly right: Node };

/** A condition that was read. */
export interface Condition {
  readonly root: Node;
  /** Tasks that it speaks of. */
  readonly needs: ReadonlySet<string>;
  /** Names of the matrix that it speaks of. */
  readonly matrix: ReadonlySet<string>;
}

/** What a condition may be made of, for messages to people. */
export const conditionForms =
  "success(), failure(), always(), needs.ID.result, needs.ID.outputs.NAME, matrix.NAME, 'text', ==, !=, &&, ||, !, ( )";

/** Deeper than this a condition is a mistake. */
const maxDepth = 32;

const token =
  /\s*(?:(?<text>'(?:[^']|'')*')|(?<operator>&&|\|\||==|!=|!|\(|\))|(?<status>(?:success|failure|always)\(\s*\))|(?<path>[\p{L}\p{N}_][\p{L}\p{M}\p{N}._-]*))/uy;

interface Token {
  readonly kind: 'text' | 'operator' | 'status' | 'path';
  readonly value: string;
}

function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  const end = source.trimEnd().length;
  token.lastIndex = 0;
  while (token.lastIndex < end) {
    const at = token.lastIndex;
    const groups = token.exec(source)?.groups;
    const found = Object.entries(groups ?? {}).find(([, value]) => value !== undefined);
    if (!found) throw new SyntaxError(`"${source.slice(at).trim().slice(0, 40)}" is not understood`);
    tokens.push({ kind: found[0] as Token['kind'], value: found[1] as string });
  }
  return tokens;
}

function reference(path: string): Node {
  const found = readTaskReference(path);
  if (found) return found;
  throw new SyntaxError(`"${path.slice(0, 60)}" is not understood`);
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Node {
    const node = this.#either();
    const rest = this.#tokens[this.#at];
    if (rest) throw new SyntaxError(`"${rest.value}" stands where nothing was expected`);
    return node;
  }

  #takes(operator: string): boolean {
    const next = this.#tokens[this.#at];
    const is = next?.kind === 'operator' && next.value === operator;
    if (is) this.#at += 1;
    return is;
  }

  #either(): Node {
    let left = this.#both();
    while (this.#takes('||')) left = { kind: 'or', left, right: this.#both() };
    return left;
  }

  #both(): Node {
    let left = this.#comparison();
    while (this.#takes('&&')) left = { kind: 'and', left, right: this.#comparison() };
    return left;
  }

  #comparison(): Node {
    const left = this.#term();
    if (this.#takes('==')) return { kind: 'same', left, right: this.#term() };
    if (this.#takes('!=')) return { kind: 'differs', left, right: this.#term() };
    return left;
  }

  #term(): Node {
    this.#depth += 1;
    if (this.#depth > maxDepth) throw new SyntaxError(`it is nested more than ${maxDepth} deep`);
    try {
      if (this.#takes('!')) return { kind: 'not', of: this.#term() };
      if (this.#takes('(')) {
        const inner = this.#either();
        if (!this.#takes(')')) throw new SyntaxError('a ")" is missing');
        return inner;
      }
      const next = this.#tokens[this.#at];
      if (!next || next.kind === 'operator') {
        throw new SyntaxError(
          next ? `"${next.value}" stands where a value was expected` : 'it ends too early',
        );
      }
      this.#at += 1;
      if (next.kind === 'text') return { kind: 'text', text: next.value.slice(1, -1).replaceAll("''", "'") };
      if (next.kind === 'path') return reference(next.value);
      return { kind: 'status', name: next.value.slice(0, next.value.indexOf('(')) as 'success' };
    } finally {
      this.#depth -= 1;
    }
  }
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  if (node.kind === 'not') walk(node.of, visit);
  if ('left' in node) {
    walk(node.left, visit);
    walk(node.right, visit);
  }
}

/** Reads the `if` of a task. Throws `SyntaxError` saying what is not understood. */
export function parseCondition(source: string): Condition {
  const root = new Parser(tokensOf(source)).whole();
  const needs = new Set<string>();
  const matrix = new Set<string>();
  walk(root, (node) => {
    if (node.kind === 'result' || node.kind === 'output') needs.add(node.need);
    if (node.kind === 'matrix') matrix.add(node.name);
  });
  return { root, needs, matrix };
}

function textOf(node: Node, facts: ConditionFacts): string {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'result':
      return facts.result(node.need);
    case 'output':
      return facts.output(node.need, node.name);
    case 'matrix':
      return facts.matrix[node.name] ?? '';
    default:
      return String(isTrue(node, facts));
  }
}

function isTrue(node: Node, facts: ConditionFacts): boolean {
  switch (node.kind) {
    case 'status':
      if (node.name === 'always') return true;
      return node.name === 'success' ? facts.succeeded : facts.failed;
    case 'not':
      return !isTrue(node.of, facts);
    case 'and':
      return isTrue(node.left, facts) && isTrue(node.right, facts);
    case 'or':
      return isTrue(node.left, facts) || isTrue(node.right, facts);
    case 'same':
      return textOf(node.left, facts) === textOf(node.right, facts);
    case 'differs':
      return textOf(node.left, facts) !== textOf(node.right, facts);
    default: {
      const text = textOf(node, facts);
      return text !== '' && text !== 'false';
    }
  }
}

function namesStatus(node: Node): boolean {
  let found = false;
  walk(node, (part) => {
    if (part.kind === 'status') found = true;
  });
  return found;
}

/**
 * Decides a condition. As in GitHub Actions, one that names none of `success()`, `failure()`, `always()` holds
 * only if every need succeeded too.
 */
export function evaluateCondition({ root }: Condition, facts: ConditionFacts): boolean {
  if (!namesStatus(root) && !facts.succeeded) return false;
  return isTrue(root, facts);
}

/** Whether a condition can hold after a need that did not succeed. */
export function outlivesFailure({ root }: Condition): boolean {
  return namesStatus(root);
}
