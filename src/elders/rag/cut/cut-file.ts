import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { Chunk } from '../../search/chunks/chunk.ts';
import { chunkMarkdown } from '../../search/chunks/markdown.ts';
import { chunkPlainText } from '../../search/chunks/plain-text.ts';
import { type PreparedDocument, prepareDocument } from '../../search/full-text/prepare.ts';
import { decodeText, isBinary } from '../files/decode.ts';
import { grammarOf, isBinaryName, kindOf, languageOf, priorOf } from '../files/kind.ts';
import { type Reason, readWhole } from '../files/read-file.ts';
import { type FoundSecret, isSettings, type SecretGuard, secretGuard } from '../secrets/find-secrets.ts';
import { CodeCutter } from './code.ts';
import { chunkHtml } from './html.ts';

/** A file to be read. */
export interface FileToCut {
  /** Absolute; the key of its document. */
  readonly path: string;
  /** As people see it: below the folder that was asked for. */
  readonly shown: string;
  /** As it was when the file was looked at (bytes). */
  readonly size?: number;
  /** Of the content that stands in the index; the same content is not cut again. */
  readonly knownHash: string | undefined;
}

/** What a file came to. */
export interface CutFile {
  readonly path: string;
  /** Tells this state of the file from the next; '' where it could not be looked at. */
  readonly mark: string;
  /** Null when it is not indexed, or when its content is that of `knownHash`. */
  readonly prepared: PreparedDocument | null;
  /** The id of its content in git; '' when it was not read. */
  readonly hash: string;
  readonly bytes: number;
  /** Why it is not indexed. */
  readonly reason: Reason | null;
  readonly detail: string;
  /** What people should know although it is indexed. */
  readonly notes: readonly {
    readonly kind: 'encoding' | 'invalid_text' | 'secret';
    readonly detail: string;
  }[];
}

function gitBlobId(bytes: Buffer): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

function secretsText(found: readonly FoundSecret[]): string {
  const shown = found.slice(0, 5).map(({ rule, line }) => `${rule} in line ${line}`);
  return [...shown, ...(found.length > 5 ? [`${found.length - 5} more`] : [])].join(', ');
}

/** Reads files and cuts them into passages with their terms: all that needs no database. */
export class FileCutter {
  readonly #code = new CodeCutter();
  readonly #maxBytes: number;
  readonly #guard: SecretGuard;

  constructor(maxBytes: number, guard: SecretGuard = secretGuard) {
    this.#maxBytes = maxBytes;
    this.#guard = guard;
  }

  /** Reads and cuts one file. What is wrong with the file is told, not thrown. */
  async cut({ path, shown, knownHash }: FileToCut): Promise<CutFile> {
    const nothing = {
      path,
      mark: '',
      prepared: null,
      hash: '',
      bytes: 0,
      reason: null,
      detail: '',
      notes: [],
    };
    if (this.#guard.isSecretFile(path))
      return { ...nothing, reason: 'secret', detail: 'a file made to hold secrets' };
    if (isBinaryName(path)) return { ...nothing, reason: 'binary', detail: '' };
    const read = await readWhole(path, this.#maxBytes);
    if (!read.ok) return { ...nothing, mark: read.mark, reason: read.reason, detail: read.detail };
    const { bytes, mark } = read;
    const hash = gitBlobId(bytes);
    const known = { ...nothing, mark, hash, bytes: bytes.length };
    if (hash === knownHash) return known;
    if (isBinary(bytes)) return { ...known, reason: 'binary' };
    const { text: raw, encoding, damaged } = decodeText(bytes);
    const notes: CutFile['notes'][number][] = [];
    if (damaged) notes.push({ kind: 'invalid_text', detail: `not valid ${encoding}` });
    else if (encoding !== 'utf-8') notes.push({ kind: 'encoding', detail: encoding });
    const { text, found } = this.#guard.removeSecrets(raw);
    if (found.length > 0) {
      const detail = secretsText(found);
      if (isSettings(path)) return { ...known, reason: 'secret', detail };
      notes.push({ kind: 'secret', detail });
    }
    const { title, chunks } = await this.#chunks(path, text);
    const prepared = prepareDocument({
      key: path,
      path: shown,
      title: title ?? basename(path),
      attributes: { lang: languageOf(path), kind: kindOf(path) },
      digest: hash,
      prior: priorOf(path),
      chunks,
    });
    return { ...known, prepared, notes };
  }

  async #chunks(
    path: string,
    text: string,
  ): Promise<{ title: string | undefined; chunks: readonly Chunk[] }> {
    switch (kindOf(path)) {
      case 'markdown':
        return chunkMarkdown(text);
      case 'html':
        return chunkHtml(text);
      case 'code': {
        const grammar = grammarOf(path) ?? '';
        const chunks = (await this.#code.prepare(grammar)) ? this.#code.cut(grammar, text) : undefined;
        return { title: undefined, chunks: chunks ?? chunkPlainText(text) };
      }
      default:
        return { title: undefined, chunks: chunkPlainText(text) };
    }
  }
}
