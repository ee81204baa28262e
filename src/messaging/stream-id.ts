/** What names one message of an edge: the id of its entry, `<ms>-<n>`, and its place there (see `packing.ts`). */
function parts(id: string): [ms: number, n: number, place: number] {
  const dash = id.indexOf('-');
  const dot = id.indexOf('.', dash);
  const ms = Number(id.slice(0, dash));
  // The last message of an entry bears the id of the entry.
  if (dot < 0) return [ms, Number(id.slice(dash + 1)), Infinity];
  return [ms, Number(id.slice(dash + 1, dot)), Number(id.slice(dot + 1))];
}

/** Compares the ids of two messages or entries: negative when the first is the earlier one. */
export function compareStreamIds(left: string, right: string): number {
  if (left === right) return 0;
  const [leftMs, leftN, leftPlace] = parts(left);
  const [rightMs, rightN, rightPlace] = parts(right);
  return leftMs - rightMs || leftN - rightN || (leftPlace < rightPlace ? -1 : leftPlace > rightPlace ? 1 : 0);
}

/** Gives the time of a stream id, in ms since the epoch. */
export function streamIdTime(id: string): number {
  return Number.parseInt(id, 10);
}

/** Gives the id of the entry in which a message stands. */
export function entryOf(id: string): string {
  const dot = id.indexOf('.');
  return dot < 0 ? id : id.slice(0, dot);
}

/** Gives the id behind which Redis has to read to find what follows a message. */
export function readBehind(id: string): string {
  if (!id.includes('.')) return id;
  const [ms = '0', n = '0'] = entryOf(id).split('-');
  // The rest of the entry is still to come, so the entry has to be read again.
  return BigInt(n) > 0n ? `${ms}-${BigInt(n) - 1n}` : `${BigInt(ms) - 1n}-18446744073709551615`;
}
