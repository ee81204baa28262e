import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { ElderError } from '../../../protocol/errors.ts';
import { attributeTerm, spellingSound } from './chunk-terms.ts';
import type { SearchDocument } from './document.ts';
import { type PreparedChunk, type PreparedDocument, prepareDocument } from './prepare.ts';
import { configure, createSchema, indexVersion, storedVersion } from './schema.ts';

/** Why an index was emptied when it was opened. */
export type Rebuilt = 'missing' | 'version' | 'corrupt';

/** How much an index holds. */
export interface IndexSize {
  readonly documents: number;
  readonly chunks: number;
}

const suffixes = ['', '-wal', '-shm', '-journal'];
/** Words known to be in the spelling table already; bounds the memory of a large first index. */
const knownWordLimit = 100_000;

function isCorrupt(error: unknown): boolean {
  // SQLITE_CORRUPT and SQLITE_NOTADB, with their extended codes.
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  return code === 11 || code === 26;
}

/** A file with a full-text index. One process writes to it; others may read meanwhile. */
export class SearchIndex {
  readonly path: string;
  /** Why it starts empty; undefined when it was found whole. Its owner then feeds it anew. */
  readonly rebuilt: Rebuilt | undefined;
  readonly database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #knownWords = new Set<string>();
  #depth = 0;

  private constructor(path: string, database: DatabaseSync, rebuilt: Rebuilt | undefined) {
    this.path = path;
    this.database = database;
    this.rebuilt = rebuilt;
  }

  /**
   * Opens the index in a file (or `:memory:`), and makes it anew when it is missing, damaged or of another version.
   * Throws when the folder cannot be written.
   */
  static open(path: string): SearchIndex {
    const inMemory = path === ':memory:';
    if (!inMemory) mkdirSync(dirname(path), { recursive: true });
    let rebuilt: Rebuilt | undefined = inMemory || !existsSync(path) ? 'missing' : undefined;
    for (;;) {
      let database: DatabaseSync | undefined;
      try {
        database = new DatabaseSync(path);
        configure(database);
        const version = storedVersion(database);
        if (version === indexVersion) {
          database.prepare("SELECT rowid FROM terms WHERE terms MATCH 'a' LIMIT 1").get();
          return new SearchIndex(path, database, rebuilt);
        }
        if (version === undefined && rebuilt !== undefined) {
          createSchema(database);
          return new SearchIndex(path, database, rebuilt);
        }
        rebuilt = version === undefined ? 'corrupt' : 'version';
      } catch (error) {
        database?.close();
        if (!isCorrupt(error) || rebuilt !== undefined) throw error;
        rebuilt = 'corrupt';
        database = undefined;
      }
      database?.close();
      for (const suffix of suffixes) rmSync(`${path}${suffix}`, { force: true });
    }
  }

  /** A prepared statement, made once. */
  statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const made = this.database.prepare(sql);
    // FTS5 numbers its own rows beyond 2^53, and a merge leaves such a number as the last one that was inserted.
    if (!/^\s*SELECT/u.test(sql)) made.setReadBigInts(true);
    this.#statements.set(sql, made);
    return made;
  }

  /** Runs `work` in one transaction, which is undone when it throws; a batch inside of a batch joins it. */
  batch<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.database.exec('BEGIN IMMEDIATE');
    this.#depth += 1;
    try {
      const result = work();
      this.database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#knownWords.clear();
      if (this.database.isTransaction) this.database.exec('ROLLBACK');
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  /** Adds a document, or replaces the one with its key. */
  put(given: SearchDocument | PreparedDocument): void {
    const { document, chunks, words } = 'words' in given ? given : prepareDocument(given);
    this.batch(() => {
      this.remove(document.key);
      const tags = document.tags ?? [];
      const attributes = document.attributes ?? {};
      const added = this.statement(
        'INSERT INTO documents (key, path, title, tags, attributes, digest, prior) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ).run(
        document.key,
        document.path,
        document.title,
        JSON.stringify(tags),
        JSON.stringify(attributes),
        document.digest ?? '',
        document.prior ?? 1,
      );
      const attr = [
        ...tags.map((tag) => attributeTerm('tag', tag)),
        ...Object.entries(attributes).map(([name, value]) => attributeTerm(name, value)),
      ].join(' ');
      for (const chunk of chunks) this.#putChunk(Number(added.lastInsertRowid), attr, chunk);
      for (const word of words) this.#spell(word);
    });
  }

  #putChunk(document: number, attr: string, { chunk, width, terms }: PreparedChunk): void {
    const headings = JSON.stringify([chunk.headingPath, chunk.innerHeadings]);
    const { lastInsertRowid } = this.statement(
      'INSERT INTO chunks (document, start_line, end_line, headings, width, text) VALUES (?, ?, ?, ?, ?, ?)',
    ).run(document, chunk.startLine, chunk.endLine, headings, width, chunk.text);
    this.statement('INSERT INTO terms (rowid, words) VALUES (?, ?)').run(
      lastInsertRowid,
      attr === '' ? terms : `${terms} ${attr}`,
    );
  }

  #spell(word: string): void {
    if (this.#knownWords.has(word)) return;
    if (this.#knownWords.size >= knownWordLimit) this.#knownWords.clear();
    this.#knownWords.add(word);
    this.statement('INSERT OR IGNORE INTO spelling (term, sound) VALUES (?, ?)').run(
      word,
      spellingSound(word),
    );
  }

  /** Removes a document with its passages; false when there is none by that key. */
  remove(key: string): boolean {
    return this.batch(() => {
      const row = this.statement('SELECT id FROM documents WHERE key = ?').get(key);
      if (row === undefined) return false;
      const id = Number(row.id);
      this.statement('DELETE FROM terms WHERE rowid IN (SELECT id FROM chunks WHERE document = ?)').run(id);
      this.statement('DELETE FROM chunks WHERE document = ?').run(id);
      this.statement('DELETE FROM documents WHERE id = ?').run(id);
      return true;
    });
  }

  /** The digest a document was put with; undefined when there is no such document. */
  digest(key: string): string | undefined {
    const value = this.statement('SELECT digest FROM documents WHERE key = ?').get(key)?.digest;
    return typeof value === 'string' ? value : undefined;
  }

  /** Every key with its digest, to find what has changed or gone. */
  *keys(): Generator<{ key: string; digest: string }> {
    for (const row of this.database.prepare('SELECT key, digest FROM documents').iterate()) {
      yield { key: String(row.key), digest: String(row.digest) };
    }
  }

  /** How many documents and passages there are. */
  size(): IndexSize {
    const row = this.statement(
      'SELECT (SELECT count(*) FROM documents) AS documents, (SELECT count(*) FROM chunks) AS chunks',
    ).get();
    return { documents: Number(row?.documents ?? 0), chunks: Number(row?.chunks ?? 0) };
  }

  /** Merges a bounded part of what many additions left scattered; true while more is left. For idle times. */
  mergeStep(pages = 500): boolean {
    const before = this.database.prepare('SELECT total_changes() AS n').get();
    this.statement("INSERT INTO terms (terms, rank) VALUES ('merge', ?)").run(pages);
    const after = this.database.prepare('SELECT total_changes() AS n').get();
    return Number(after?.n) - Number(before?.n) >= 2;
  }

  /** Checks the whole file. Throws `internal` when it is damaged; `open` then makes it anew. */
  verify(): void {
    const row = this.database.prepare('PRAGMA quick_check(1)').get();
    const answer = row === undefined ? '' : String(Object.values(row)[0]);
    if (answer !== 'ok') throw new ElderError('internal', `the search index is damaged: ${answer}`);
    this.database.prepare("INSERT INTO terms (terms) VALUES ('integrity-check')").run();
  }

  /** Closes the file. */
  close(): void {
    this.#statements.clear();
    this.database.close();
  }
}
