/** Compares two stream ids, `<ms>-<n>`: negative when the first is the earlier one. */
export function compareStreamIds(left: string, right: string): number {
  const [leftMs = 0, leftN = 0] = left.split('-').map(Number);
  const [rightMs = 0, rightN = 0] = right.split('-').map(Number);
  return leftMs - rightMs || leftN - rightN;
}

/** Gives the time of a stream id, in ms since the epoch. */
export function streamIdTime(id: string): number {
  return Number.parseInt(id, 10);
}
