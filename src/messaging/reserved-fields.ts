/** Field of the state hash that holds the number of the last commit. */
export const commitNumberField = '@n';

/** Prefix of the fields of the state hash that count what was ever sent into an out-edge. */
export const outFieldPrefix = '@out:';

/** Tells whether a field of the state hash is the broker's own. */
export function isReservedField(field: string): boolean {
  return field === commitNumberField || field.startsWith(outFieldPrefix);
}
