import { readTaskReference, type TaskReference } from './task-reference.ts';

/** What `${{ … }}` in a value of `env` stands for. */
export type Placeholder = TaskReference;

const placeholder = /\$\{\{\s*(.*?)\s*\}\}/gs;

function read(source: string): Placeholder {
  const found = readTaskReference(source);
  if (found) return found;
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
