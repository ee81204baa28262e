/** A passage of a document: the unit that is searched, cited and shown. */
export interface Chunk {
  /** First and last line in the document, counted from 1. */
  readonly startLine: number;
  readonly endLine: number;
  /** The headings it stands under, outermost first; empty before the first one. */
  readonly headingPath: readonly string[];
  /** Headings inside of it, below the path. */
  readonly innerHeadings: readonly string[];
  readonly text: string;
}

/** How large passages become, in display columns (a Japanese character takes two). */
export interface ChunkSize {
  /** Neighbouring sections are joined until they have this much. */
  readonly least: number;
  /** A longer section is divided at lines. */
  readonly most: number;
}

/** About a screen of text: enough to answer with, small enough to cite. */
export const defaultChunkSize: ChunkSize = { least: 420, most: 1_600 };

/** The display columns of a text: a character of Chinese, Japanese or Korean takes two. */
export function columns(text: string): number {
  let wide = 0;
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) >= 0x2e80) wide += 1;
  return text.length + wide;
}
