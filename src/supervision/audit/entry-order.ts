/** Compares two places in one edge, `<stream id>#<part of the message>`: above 0 if the first comes later. */
export function compareEntries(one: string, other: string): number {
  const parts = (text: string) => text.split(/[-#]/).map(BigInt);
  const others = parts(other);
  for (const [index, part] of parts(one).entries()) {
    const difference = part - (others[index] ?? 0n);
    if (difference !== 0n) return difference > 0n ? 1 : -1;
  }
  return 0;
}
