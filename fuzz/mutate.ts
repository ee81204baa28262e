import type { Random } from '../simulation/random.ts';

/** Values that programs trip over. */
const strange: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1.5,
  11,
  33,
  1e21,
  2 ** 53,
  '',
  ' ',
  '0',
  'a'.repeat(64),
  'a'.repeat(65),
  'a'.repeat(129),
  '\u0000',
  '\ud800',
  '😀'.repeat(40),
  '__proto__',
  'sage..task',
  'SAGE.TASK',
  '2026-02-30T00:00:00Z',
  '2026-01-31 12:00:00Z',
  '2026-01-31T12:00:00',
  '2020-01-01T00:00:00Z',
  [],
  {},
  [[]],
  { toString: 1 },
  { length: 1e9 },
  { length: { toString: 1, valueOf: 1 } },
];
const names = ['__proto__', 'constructor', 'hasOwnProperty', 'v', 'expires_at', 'future_field', '', '\u0000'];
const fragments = ['"', '\\', '{', '}', '[', ']', ',', ':', 'e9', '-', 'null', '\\ud800', '\u0000', '"v":2,'];

interface Slot {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

function slots(value: unknown, into: Slot[] = []): Slot[] {
  if (typeof value !== 'object' || value === null) return into;
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(holder)) {
    into.push({ holder, key });
    slots(holder[key], into);
  }
  return into;
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Changes one place of a value: replaces, removes, adds, nests or swaps. The value itself is changed. */
export function mutateValue(value: unknown, random: Random): void {
  const places = slots(value);
  if (places.length === 0) return;
  const { holder, key } = random.pick(places);
  const define = (name: string, content: unknown) =>
    Object.defineProperty(holder, name, {
      value: structuredClone(content),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  switch (random.whole(0, 5)) {
    case 0:
      delete holder[key];
      break;
    case 1:
      define(random.pick(names), random.pick(strange));
      break;
    case 2:
      define(key, nested(random.pick([2, 30, 61, 62, 63, 64, 65, 200])));
      break;
    case 3: {
      const other = random.pick(places);
      define(key, other.holder[other.key]);
      break;
    }
    default:
      define(key, random.pick(strange));
  }
}

/** Changes one place of a text: cuts, repeats, inserts or exchanges characters. */
export function mutateText(text: string, random: Random): string {
  const at = random.whole(0, text.length);
  switch (random.whole(0, 4)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + text.slice(at + random.whole(1, 8));
    case 2:
      return text.slice(0, at) + random.pick(fragments) + text.slice(at);
    case 3:
      return text.slice(0, at) + String.fromCharCode(random.whole(0, 0xffff)) + text.slice(at + 1);
    default:
      return text + text.slice(at);
  }
}

/** Makes a text that has nothing to do with the format. */
export function garbage(random: Random): string {
  const length = Math.floor(random.exponential(40));
  return Array.from({ length }, () => String.fromCharCode(random.whole(0, random.pick([127, 0xffff])))).join(
    '',
  );
}

/** Writes a value as text after some changes: mostly to its parts, sometimes to the text, seldom none of it is left. */
export function mutatedText(value: unknown, random: Random): string {
  if (random.chance(0.02)) return garbage(random);
  const copy = structuredClone(value);
  while (random.chance(0.6)) mutateValue(copy, random);
  let text = JSON.stringify(copy);
  while (random.chance(0.15)) text = mutateText(text, random);
  return text;
}

/** Makes what a Redis might answer in RESP2: arrays in arrays, strings, numbers, nulls. */
export function reply(random: Random, depth = 0): unknown {
  if (depth < 5 && random.chance(0.6)) {
    return Array.from({ length: random.whole(0, 4) }, () => reply(random, depth + 1));
  }
  return random.pick<unknown>([
    null,
    1,
    -1,
    1.5,
    '1-1',
    '1-1 7',
    'q',
    'm',
    '7',
    '@n',
    'OK',
    'STALE',
    'FULL',
    '',
    'x:low',
  ]);
}
