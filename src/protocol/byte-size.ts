const unitBytes = { KB: 1_000, MB: 1_000_000, GB: 1_000_000_000 } as const;
const pattern = /^(\d+(?:\.\d+)?)(KB|MB|GB)$/;

/** Reads a size such as `300MB` or `1.5GB` into bytes; `undefined` if it is not one. */
export function parseByteSize(text: string): number | undefined {
  const match = pattern.exec(text.trim());
  if (!match) return undefined;
  return Math.round(Number(match[1]) * unitBytes[match[2] as keyof typeof unitBytes]);
}
