const shingleLength = 4;
const sketchSize = 128;
/** Beyond this much of a text two entries are told apart no better. */
const mostCharacters = 20_000;

/** FNV-1a with a final mix, so that near strings lie far apart. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash ^= text.charCodeAt(at);
    hash = Math.imul(hash, 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Makes the MinHash sketch of a text (bottom-k: the 128 least hashes of its runs of four letters and digits,
 * after NFKC and without case), so that any language and small edits are met alike.
 */
export function sketchOf(text: string): string {
  const plain = text
    .slice(0, mostCharacters)
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
  const hashes = new Set<number>();
  if (plain.length < shingleLength) hashes.add(hashOf(plain));
  for (let at = 0; at + shingleLength <= plain.length; at += 1) {
    hashes.add(hashOf(plain.slice(at, at + shingleLength)));
  }
  const least = Uint32Array.from(hashes).sort().slice(0, sketchSize);
  return Buffer.from(least.buffer, least.byteOffset, least.byteLength).toString('base64');
}

/** Decoded once: a new entry is compared with all others. */
const decoded = new Map<string, Uint32Array>();
const mostDecoded = 10_000;

function decode(sketch: string): Uint32Array {
  const known = decoded.get(sketch);
  if (known) return known;
  if (decoded.size >= mostDecoded) decoded.clear();
  const bytes = new Uint8Array(Buffer.from(sketch, 'base64'));
  const hashes = new Uint32Array(bytes.buffer);
  decoded.set(sketch, hashes);
  return hashes;
}

/** Estimates from two sketches which share of the text is common to both (Jaccard, 0 to 1; error about 0.04). */
export function similarity(one: string, other: string): number {
  if (one === other) return 1;
  const a = decode(one);
  const b = decode(other);
  let seen = 0;
  let common = 0;
  for (let i = 0, j = 0; seen < sketchSize && (i < a.length || j < b.length); seen += 1) {
    const left = a[i] ?? Number.POSITIVE_INFINITY;
    const right = b[j] ?? Number.POSITIVE_INFINITY;
    if (left === right) common += 1;
    if (left <= right) i += 1;
    if (right <= left) j += 1;
  }
  return seen === 0 ? 1 : common / seen;
}
