/** Tells whether an absolute, normalised path is `folder` or lies below it. */
export function contains(folder: string, path: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}
