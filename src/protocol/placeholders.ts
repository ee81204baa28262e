/** What `${{ … }}` in a value of `env` stands for. */
export type Placeholder =
  | { readonly kind: 'matrix'; readonly name: string }
  | { readonly kind: 'output'; readonly need: string; readonly name: string }
  | { readonly kind: 'result'; readonly need: string };

const placeholder = /\$\{\{\s*(.*?)\s*\}\}/gs;

function read(source: string): Placeholder {
  const matrix = /^matrix\.([A-Za-z_][A-Za-z0-9_]*)$/.exec(source)?.[1];
  if (matrix !== undefined) return { kind: 'matrix', name: matrix };
  const output = /^needs\.(.+)\.outputs\.([A-Za-z_][A-Za-z0-9_-]*)$/u.exec(source);
  if (output) return { kind: 'output', need: output[1] as string, name: output[2] as string };
  const result = /^needs\.(.+)\.result$/u.exec(source)?.[1];
  if (result !== undefined) return { kind: 'result', need: result };
  throw new SyntaxError(
    `"${source.slice(0, 60)}" is not understood; there are matrix.NAME, needs.ID.outputs.NAME, needs.ID.result`,
  );
}

/** Lists the placeholders of a text. Throws `SyntaxError` for one that is not understood. */
export function placeholdersOf(text: string): Placeholder[] {
  return [...text.matchAll(placeholder)].map(([, source]) => read(source as string));
}

/** Whether a text holds a placeholder. */
export function hasPlaceholder(text: string): boolean {
  return text.includes('${{');
}

/** Puts what they stand for in the place of placeholders. */
export function fillPlaceholders(text: string, resolve: (placeholder: Placeholder) => string): string {
  return text.replace(placeholder, (_, source: string) => resolve(read(source)));
}
