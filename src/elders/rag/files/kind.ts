import { basename, extname } from 'node:path';

/** How a file is cut into passages. */
export type FileKind = 'markdown' | 'code' | 'html' | 'text';

/** Grammars by the ending of a file name. */
const grammars: Readonly<Record<string, string>> = {
  ...{ '.ts': 'typescript', '.mts': 'typescript', '.cts': 'typescript', '.tsx': 'tsx' },
  ...{ '.js': 'javascript', '.mjs': 'javascript', '.cjs': 'javascript', '.jsx': 'javascript' },
  ...{ '.py': 'python', '.pyi': 'python', '.go': 'go', '.rs': 'rust', '.java': 'java', '.rb': 'ruby' },
  ...{ '.c': 'cpp', '.h': 'cpp', '.cc': 'cpp', '.cpp': 'cpp', '.cxx': 'cpp', '.hh': 'cpp', '.hpp': 'cpp' },
  ...{ '.cs': 'c-sharp', '.php': 'php', '.sh': 'bash', '.bash': 'bash', '.ps1': 'powershell' },
};

/** Endings of files that hold no text, so that they need not be opened. */
const binary = new Set(
  (
    'png jpg jpeg gif bmp ico webp avif heic tif tiff psd ai sketch mp3 mp4 m4a wav ogg flac avi mov mkv webm ' +
    'zip gz tgz bz2 xz zst 7z rar tar jar war class pyc pyo so dylib dll exe o a lib bin obj wasm pdf doc docx ' +
    'xls xlsx ppt pptx odt ods woff woff2 ttf otf eot db sqlite sqlite3 rdb iso dmg pack idx parquet npy onnx'
  )
    .split(' ')
    .map((ending) => `.${ending}`),
);

/** Files that programs write: found by their words, but not before what people wrote. */
const generated =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|[^/]+\.lock|go\.sum)$|\.min\.(?:js|css)$|\.map$/u;

/** Tells by its name whether a file holds no text. */
export function isBinaryName(path: string): boolean {
  return binary.has(extname(path).toLowerCase());
}

/** What a file counts for beside others with the same words. */
export function priorOf(path: string): number {
  return generated.test(path) ? 0.5 : 1;
}

/** The grammar that cuts a file by its structure; undefined when there is none. */
export function grammarOf(path: string): string | undefined {
  return grammars[extname(path).toLowerCase()];
}

/** How a file is cut, by its name. */
export function kindOf(path: string): FileKind {
  const ending = extname(path).toLowerCase();
  if (['.md', '.mdx', '.markdown', '.mdown'].includes(ending)) return 'markdown';
  if (['.html', '.htm', '.xhtml'].includes(ending)) return 'html';
  return grammarOf(path) === undefined ? 'text' : 'code';
}

/** A short name of the language for filters: `ts`, `md`, … */
export function languageOf(path: string): string {
  return extname(path).slice(1).toLowerCase() || basename(path).toLowerCase();
}
