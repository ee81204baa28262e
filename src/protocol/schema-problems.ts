import { z } from 'zod';
import { didYouMean } from './nearest.ts';

/** Keys and indexes from the top of a value down to a part of it. */
export type Path = readonly (string | number)[];

/** One way in which a value does not fit its schema. */
export interface SchemaProblem {
  readonly path: Path;
  /** Whether the key at the path is wrong or the value behind it. */
  readonly on: 'key' | 'value';
  readonly code: 'unknown_key' | 'missing' | 'wrong_type' | 'out_of_range' | 'wrong_value';
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** The part of JSON Schema that suggestions need. */
interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
  readonly additionalProperties?: Shape | boolean;
  readonly anyOf?: readonly Shape[];
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

function typeName(type: string): string {
  return typeNames[type] ?? type;
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return `the ${typeof value} ${value}`;
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

function keysAt(shape: Shape | undefined, path: Path): string[] {
  if (shape === undefined) return [];
  if (shape.anyOf) return shape.anyOf.flatMap((branch) => keysAt(branch, path));
  const [step, ...rest] = path;
  if (step === undefined) return Object.keys(shape.properties ?? {});
  if (typeof step === 'number') return keysAt(shape.items, rest);
  const other = typeof shape.additionalProperties === 'object' ? shape.additionalProperties : undefined;
  return keysAt(shape.properties?.[step] ?? other, rest);
}

function rangeText(issue: Issue & { code: 'too_small' | 'too_big' }): string {
  const small = issue.code === 'too_small';
  const bound = Number(small ? issue.minimum : issue.maximum);
  const more = small ? 'at least' : 'at most';
  if (issue.origin === 'string') {
    return small && bound === 1 ? 'this may not be empty' : `expected ${more} ${bound} characters`;
  }
  if (issue.origin === 'array') {
    return small && bound === 1 ? 'the list may not be empty' : `expected ${more} ${bound} items`;
  }
  return `expected a number of ${more} ${bound}`;
}

function formatText(issue: Issue & { code: 'invalid_format' }): string {
  const protocol = /^\^(\w+)\$$/.exec(issue.pattern ?? '')?.[1];
  if (issue.format === 'url') {
    return protocol ? `expected an address that starts with ${protocol}://` : 'expected a URL';
  }
  return issue.message.startsWith('Invalid ') ? `expected the format ${issue.pattern}` : issue.message;
}

function typeText(expected: string, value: unknown): string {
  const quotes = expected === 'string' && (typeof value === 'number' || typeof value === 'boolean');
  return `expected ${typeName(expected)}, got ${describe(value)}${quotes ? '; put it in quotes' : ''}`;
}

function unionProblems(issue: Issue & { code: 'invalid_union' }, context: Context): SchemaProblem[] {
  const path = issue.path as Path;
  const value = valueAt(context.raw, path);
  // A branch whose very type fits is the one that was meant.
  const meant = issue.errors.find(
    (issues) => !issues.some((inner) => inner.path.length === 0 && inner.code === 'invalid_type'),
  );
  if (meant) {
    return meant.flatMap((inner) =>
      translate({ ...inner, path: [...path, ...inner.path] } as Issue, context),
    );
  }
  const expected = issue.errors.flatMap((issues) =>
    issues.flatMap((inner) => (inner.code === 'invalid_type' ? [typeName(inner.expected)] : [])),
  );
  const message = `expected ${[...new Set(expected)].join(' or ')}, got ${describe(value)}`;
  return [{ path, on: 'value', code: 'wrong_type', message }];
}

interface Context {
  readonly raw: unknown;
  keysAt(path: Path): string[];
}

function translate(issue: Issue, context: Context): SchemaProblem[] {
  const path = issue.path as Path;
  const value = valueAt(context.raw, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        on: 'key',
        code: 'unknown_key',
        message: `unknown key "${key}"${didYouMean(key, context.keysAt(path))}`,
      }));
    case 'invalid_type':
      if (value === undefined && path.length > 0) {
        return [{ path, on: 'value', code: 'missing', message: `"${path.at(-1)}" is missing` }];
      }
      return [{ path, on: 'value', code: 'wrong_type', message: typeText(issue.expected, value) }];
    case 'invalid_value': {
      const values = issue.values.map(String);
      const hint = typeof value === 'string' ? didYouMean(value, values) : '';
      const message = `expected one of ${values.join(', ')}; got ${describe(value)}${hint}`;
      return [{ path, on: 'value', code: 'wrong_value', message }];
    }
    case 'too_small':
    case 'too_big':
      return [{ path, on: 'value', code: 'out_of_range', message: rangeText(issue) }];
    case 'invalid_format':
      return [{ path, on: 'value', code: 'wrong_value', message: formatText(issue) }];
    case 'invalid_key':
      return issue.issues.map((inner) => ({
        path,
        on: 'key',
        code: 'wrong_value',
        message: `the key "${path.at(-1)}" is not valid: ${inner.message}`,
      }));
    case 'invalid_union':
      return unionProblems(issue, context);
    default:
      return [{ path, on: 'value', code: 'wrong_value', message: issue.message }];
  }
}

/** Says in plain words what a zod error found wrong with `raw`. */
export function schemaProblems(error: z.ZodError, schema: z.ZodType, raw: unknown): SchemaProblem[] {
  let shape: Shape | undefined;
  const context: Context = {
    raw,
    keysAt(path) {
      shape ??= z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Shape;
      return keysAt(shape, path);
    },
  };
  return error.issues.flatMap((issue) => translate(issue, context));
}

/** Writes a path as people write it: `tasks[1].needs[0]`; the empty string for the whole. */
export function pathText(path: Path): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
}
