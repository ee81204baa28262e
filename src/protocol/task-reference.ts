/** Something that a condition or a placeholder of a task speaks of. */
export type TaskReference =
  | { readonly kind: 'result'; readonly need: string }
  | { readonly kind: 'output'; readonly need: string; readonly name: string }
  | { readonly kind: 'matrix'; readonly name: string };

/** Reads `needs.ID.result`, `needs.ID.outputs.NAME` or `matrix.NAME`, where an id may itself hold dots; else `undefined`. */
export function readTaskReference(path: string): TaskReference | undefined {
  const result = /^needs\.(.+)\.result$/u.exec(path)?.[1];
  if (result !== undefined) return { kind: 'result', need: result };
  const output = /^needs\.(.+)\.outputs\.([A-Za-z_][A-Za-z0-9_-]*)$/u.exec(path);
  if (output) return { kind: 'output', need: output[1] as string, name: output[2] as string };
  const name = /^matrix\.([A-Za-z_][A-Za-z0-9_]*)$/u.exec(path)?.[1];
  return name === undefined ? undefined : { kind: 'matrix', name };
}
