import { z } from 'zod';
import { configSchema } from '../../protocol/config.ts';

/** One key of the configuration that holds a value. */
export interface Setting {
  /** From the top, such as `['tasks', 'lease']`. */
  readonly path: readonly string[];
  /** Such as `ELDERS_TASKS_LEASE`. */
  readonly variable: string;
  readonly kind: 'text' | 'number' | 'boolean' | 'list' | 'mapping';
  readonly values: readonly string[] | undefined;
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  readonly fallback: unknown;
  readonly description: string;
}

interface Shape {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly anyOf?: readonly Shape[];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly description?: string;
}

function kindOf(shape: Shape): Setting['kind'] {
  if (shape.type === 'integer' || shape.type === 'number') return 'number';
  if (shape.type === 'boolean') return 'boolean';
  if (shape.type === 'object') return 'mapping';
  return shape.type === 'array' ? 'list' : 'text';
}

function bound(value: number | undefined): number | undefined {
  return value === undefined || Math.abs(value) === Number.MAX_SAFE_INTEGER ? undefined : value;
}

function variableOf(path: readonly string[]): string {
  const words = path.map((part) => part.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase());
  return `ELDERS_${words.join('_')}`;
}

function collect(shape: Shape, path: readonly string[]): Setting[] {
  const below = (branch: Shape) =>
    Object.entries(branch.properties ?? {}).flatMap(([key, inner]) => collect(inner, [...path, key]));
  const own: Setting = {
    path,
    variable: variableOf(path),
    kind: kindOf(shape),
    values: shape.enum,
    minimum: bound(shape.minimum),
    maximum: bound(shape.maximum),
    fallback: shape.default,
    description: shape.description ?? '',
  };
  if (shape.anyOf) return [own, ...shape.anyOf.flatMap(below)];
  return shape.properties ? below(shape) : [own];
}

let known: readonly Setting[] | undefined;

/** Lists every setting in the order of the schema, from which it is derived. */
export function settings(): readonly Setting[] {
  known ??= collect(z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Shape, []);
  return known;
}
