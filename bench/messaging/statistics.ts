/** Gives the value below which this share (0 to 1) of the numbers lies; NaN for none. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Gives the middle one of the numbers; NaN for none. */
export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

/** Rounds to so many digits after the point. */
export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
