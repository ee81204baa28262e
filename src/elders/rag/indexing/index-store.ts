import { rmSync, statSync } from 'node:fs';
import type { RagProblem } from '../../../protocol/rag.ts';
import { SearchIndex } from '../../search/full-text/search-index.ts';
import type { CutFile } from '../cut/cut-file.ts';

/** What is known of a file since it was last looked at. */
export interface KnownFile {
  readonly mark: string;
  readonly hash: string;
}

/** What stands in the index of the files below a folder. */
export interface FolderSums {
  readonly files: number;
  readonly passages: number;
  readonly bytes: number;
  readonly skipped: Record<string, number>;
  readonly problems: RagProblem[];
  readonly problemCount: number;
}

const shownProblems = 200;
/** Left out of the index for what they are, which nobody needs to look into. */
const ordinary = "('binary', 'not_a_file')";
/** A file that was read whole is checked whole when it is opened, below this size (bytes). */
const verifiedBytes = 32_000_000;

/** Tells whether an error says that the index file is damaged. */
export function isDamage(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  return code === 11 || code === 26;
}

/** Removes an index that cannot be used. */
export function removeIndex(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${suffix}`, { force: true });
}

/** The index file with what is known of every file that was looked at, indexed or not. */
export class IndexStore {
  readonly index: SearchIndex;
  readonly path: string;
  readonly #inode: bigint;

  private constructor(index: SearchIndex) {
    this.index = index;
    this.path = index.path;
    this.#inode = statSync(index.path, { bigint: true }).ino;
  }

  /** Opens the index; one that is missing, damaged or of another version starts empty. */
  static open(path: string, maxFileBytes = Number.POSITIVE_INFINITY): IndexStore {
    let index = SearchIndex.open(path);
    try {
      if (index.rebuilt === undefined && statSync(path).size < verifiedBytes) index.verify();
      prepare(index);
    } catch {
      index.close();
      removeIndex(path);
      index = SearchIndex.open(path);
      prepare(index);
    }
    lookAgain(index, maxFileBytes);
    return new IndexStore(index);
  }

  /** Whether the file that is open is still the one at its path. */
  get isInPlace(): boolean {
    return statSync(this.path, { bigint: true, throwIfNoEntry: false })?.ino === this.#inode;
  }

  /** Every file below a folder that was looked at before. */
  below(folder: string): Map<string, KnownFile> {
    const rows = this.index.statement(`SELECT path, mark, hash FROM rag_files WHERE ${belowFolder}`);
    const found = new Map<string, KnownFile>();
    for (const row of rows.all(...range(folder))) {
      found.set(String(row.path), { mark: String(row.mark), hash: String(row.hash) });
    }
    return found;
  }

  /** What is known of one file. */
  known(path: string): KnownFile | undefined {
    const row = this.index.statement('SELECT mark, hash FROM rag_files WHERE path = ?').get(path);
    return row === undefined ? undefined : { mark: String(row.mark), hash: String(row.hash) };
  }

  /** Takes over what files came to, in one transaction. */
  put(files: readonly CutFile[]): void {
    const { index } = this;
    index.batch(() => {
      for (const { path, mark, hash, bytes, prepared, reason, detail, notes } of files) {
        if (reason === 'gone') {
          this.#forget(path);
          continue;
        }
        if (reason === null && prepared === null) {
          // The content is the same; only its times are new.
          index.statement('UPDATE rag_files SET mark = ? WHERE path = ?').run(mark, path);
          continue;
        }
        this.#forgetVectors(path);
        if (prepared === null) index.remove(path);
        else index.put(prepared);
        index
          .statement(
            'INSERT OR REPLACE INTO rag_files (path, mark, hash, bytes, passages, reason, detail, notes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
          )
          .run(
            path,
            mark,
            prepared === null ? '' : hash,
            bytes,
            prepared?.chunks.length ?? 0,
            reason ?? '',
            detail,
            notes.length === 0 ? '' : JSON.stringify(notes),
          );
      }
    });
  }

  /** Forgets files. */
  forget(paths: Iterable<string>): void {
    this.index.batch(() => {
      for (const path of paths) this.#forget(path);
    });
  }

  /** How much of a folder can be found so far. */
  progress(folder: string): Pick<FolderSums, 'files' | 'passages' | 'bytes'> {
    const row = this.index
      .statement(
        `SELECT count(*) AS n, sum(bytes) AS bytes, sum(passages) AS passages FROM rag_files WHERE ${belowFolder} AND reason = ''`,
      )
      .get(...range(folder));
    return { files: Number(row?.n), passages: Number(row?.passages ?? 0), bytes: Number(row?.bytes ?? 0) };
  }

  /** Sums up the files below a folder. */
  sums(folder: string): FolderSums {
    const { index } = this;
    const bounds = range(folder);
    const skipped: Record<string, number> = {};
    let files = 0;
    let bytes = 0;
    let passages = 0;
    for (const row of index
      .statement(
        `SELECT reason, count(*) AS n, sum(bytes) AS bytes, sum(passages) AS passages FROM rag_files WHERE ${belowFolder} GROUP BY reason`,
      )
      .all(...bounds)) {
      if (row.reason === '') {
        files = Number(row.n);
        bytes = Number(row.bytes);
        passages = Number(row.passages);
      } else skipped[String(row.reason)] = Number(row.n);
    }
    const wrong = `${belowFolder} AND (notes <> '' OR (reason <> '' AND reason NOT IN ${ordinary}))`;
    const problemCount = Number(
      index.statement(`SELECT count(*) AS n FROM rag_files WHERE ${wrong}`).get(...bounds)?.n ?? 0,
    );
    const problems = index
      .statement(`SELECT path, reason, detail, notes FROM rag_files WHERE ${wrong} LIMIT ${shownProblems}`)
      .all(...bounds)
      .flatMap((row): RagProblem[] => {
        const path = String(row.path);
        if (row.reason !== '')
          return [{ path, kind: String(row.reason), indexed: false, detail: String(row.detail) }];
        const notes = JSON.parse(String(row.notes)) as { kind: string; detail: string }[];
        return notes.map(({ kind, detail }) => ({ path, kind, indexed: true, detail }));
      });
    return { files, bytes, skipped, problems, problemCount, passages };
  }

  /** Closes the file. */
  close(): void {
    this.index.close();
  }

  #forget(path: string): void {
    this.#forgetVectors(path);
    this.index.remove(path);
    this.index.statement('DELETE FROM rag_files WHERE path = ?').run(path);
  }

  /** SQLite gives the numbers of removed passages to new ones. */
  #forgetVectors(path: string): void {
    this.index
      .statement(
        'DELETE FROM rag_vectors WHERE chunk IN (SELECT chunks.id FROM chunks JOIN documents ON documents.id = chunks.document WHERE documents.key = ?)',
      )
      .run(path);
  }
}

const belowFolder = '(path = ? OR (path > ? AND path < ?))';

/** All paths below a folder sort between `folder/` and `folder0`. */
function range(folder: string): [string, string, string] {
  const base = folder === '/' ? '' : folder;
  return [folder, `${base}/`, `${base}0`];
}

/** Has files read again that this process may read otherwise than the one before: its rights or its limit are others. */
function lookAgain(index: SearchIndex, maxFileBytes: number): void {
  index
    .statement(
      `UPDATE rag_files SET mark = '' WHERE reason IN ('unreadable', 'failed', 'changing') OR bytes > ?1
         OR (reason = 'too_large' AND CAST(detail AS INTEGER) <= ?1)`,
    )
    .run(Math.min(maxFileBytes, Number.MAX_SAFE_INTEGER));
}

function prepare(index: SearchIndex): void {
  index.database.exec(`
    PRAGMA cache_size = -32768;
    CREATE TABLE IF NOT EXISTS rag_files (
      path TEXT PRIMARY KEY, mark TEXT NOT NULL, hash TEXT NOT NULL, bytes INTEGER NOT NULL, passages INTEGER NOT NULL,
      reason TEXT NOT NULL, detail TEXT NOT NULL, notes TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS rag_vectors (chunk INTEGER PRIMARY KEY, model TEXT NOT NULL, vector BLOB NOT NULL);
  `);
}
