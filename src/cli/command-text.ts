import type { Catalog } from './text/catalog.ts';

/** The help of one command; arguments and options by name. */
export interface CommandText {
  readonly summary: string;
  readonly arguments: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

/** Gives the help texts of a command of the table. Throws where a catalog lacks them. */
export function commandText(text: Catalog, path: string): CommandText {
  const found = (text.commands as Readonly<Record<string, CommandText>>)[path];
  if (found === undefined) throw new Error(`no help text for ${path}`);
  return found;
}
