import { stdSerializers } from 'pino';

const secretKeys = new Set([
  'password',
  'passphrase',
  'privatekey',
  'privatekeypem',
  'key',
  'secret',
  'token',
  'apikey',
  'authorization',
  'cookie',
]);

/** Deeper levels are cut off by the logger itself. */
const maxDepth = 6;

/**
 * Copies a value for a log: what stands under a key such as `password`, `privateKey` or `key`, at any depth
 * and however it is capitalised, is replaced by `[redacted]`. Secrets within a text are not found.
 */
export function redact(value: unknown): unknown {
  return copy(value, 0);
}

function copy(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > maxDepth) return '[too deep]';
  if (value instanceof Error) return copyFields(stdSerializers.err(value), depth);
  if ('toJSON' in value && typeof value.toJSON === 'function') return copy(value.toJSON(), depth + 1);
  if (Array.isArray(value)) return value.map((item) => copy(item, depth + 1));
  return copyFields(value, depth);
}

function copyFields(value: object, depth: number): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    fields[key] = isSecret(key) ? '[redacted]' : copy(field, depth + 1);
  }
  return fields;
}

function isSecret(key: string): boolean {
  return secretKeys.has(key.toLowerCase().replaceAll(/[_-]/g, ''));
}
