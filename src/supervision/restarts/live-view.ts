/** Gives an object of which every value is read from the present one, so that whoever holds it sees each change. */
export function liveView<T extends object>(current: () => T): T {
  const view = {};
  for (const key of Object.keys(current()) as (keyof T)[]) {
    Object.defineProperty(view, key, { enumerable: true, get: () => current()[key] });
  }
  return view as T;
}
