/** Replaces the password in a URL by `***`, so that a configuration can be shown. */
export function maskPassword(text: string): string {
  return text.replace(/^([a-z+]+:\/\/[^:/@\s]*:)[^\s]*@/i, '$1***@');
}

/** Masks every password in plain data. */
export function maskSecrets(value: unknown): unknown {
  if (typeof value === 'string') return maskPassword(value);
  if (Array.isArray(value)) return value.map(maskSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskSecrets(inner)]));
}
