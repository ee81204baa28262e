import type { Random } from '../simulation/random.ts';

/** JSON Schema as `z.toJSONSchema` writes it, as far as the project uses it. */
export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
}

/** What strings with a pattern are taken from. */
const words = [
  'task_sage',
  'dir-1',
  'sage.task.create',
  '2026-01-31T12:00:00Z',
  '2024-02-29T23:59:59.123+09:00',
  '30s',
  '日本語',
  'a b',
  'sha256:00',
  '😀',
  '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
];
const deepest = 5;

/** Makes a value that fits a schema, as far as this simple maker can; `undefined` where it cannot. */
export function sample(schema: Schema, random: Random, root: Schema = schema, depth = 0): unknown {
  if (schema.$ref !== undefined) {
    const target = root.$defs?.[schema.$ref.replace('#/$defs/', '')] ?? root;
    return depth > deepest ? null : sample(target, random, root, depth + 1);
  }
  const union = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (union !== undefined) return sample(random.pick(union), random, root, depth + 1);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return random.pick(schema.enum);
  const type = typeof schema.type === 'object' ? random.pick(schema.type) : schema.type;
  switch (type) {
    case 'object':
      return sampleObject(schema, random, root, depth);
    case 'array': {
      const least = schema.minItems ?? 0;
      const length = depth > deepest ? least : random.whole(least, least + 2);
      return Array.from({ length }, () => sample(schema.items ?? {}, random, root, depth + 1));
    }
    case 'string':
      return sampleString(schema, random);
    case 'integer':
    case 'number': {
      const least = Math.max(schema.minimum ?? 0, 0);
      const value = random.between(least, Math.min(schema.maximum ?? least + 1_000, least + 1_000));
      return type === 'integer' ? Math.floor(value) : value;
    }
    case 'boolean':
      return random.chance(0.5);
    case 'null':
      return null;
    default:
      return random.pick<unknown>([null, 1, 'any', [], {}]);
  }
}

function sampleObject(schema: Schema, random: Random, root: Schema, depth: number): object {
  const object: Record<string, unknown> = {};
  const required = new Set(schema.required ?? []);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (required.has(name) || random.chance(0.5)) object[name] = sample(property, random, root, depth + 1);
  }
  const more = schema.additionalProperties;
  if (typeof more === 'object' && depth < deepest && random.chance(0.5)) {
    object[random.pick(words)] = sample(more, random, root, depth + 1);
  }
  return object;
}

function sampleString({ pattern, minLength = 0, maxLength = 1_000 }: Schema, random: Random): string {
  const expression = pattern === undefined ? null : new RegExp(pattern);
  const fits = words.filter(
    (word) =>
      word.length >= minLength && word.length <= maxLength && (expression === null || expression.test(word)),
  );
  return fits.length > 0 ? random.pick(fits) : 'x'.repeat(minLength);
}
