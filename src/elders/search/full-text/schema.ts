import type { DatabaseSync } from 'node:sqlite';
import { analyzerVersion } from '../language/terms.ts';

/** What an index file must have been made with; anything else is made anew. */
export const indexVersion = `6/${analyzerVersion}`;

/**
 * The terms of a passage stand in a contentless FTS5 table, split here and joined by spaces: SQLite has no tokenizer
 * for Japanese, and the text itself is kept once, beside it. Of each term only the passages are kept (`detail = none`):
 * where it stands is told by the text, and what is needed to choose passages by marked terms; see `chunkTerms`.
 */
const schema = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  path TEXT NOT NULL,
  title TEXT NOT NULL,
  tags TEXT NOT NULL,
  attributes TEXT NOT NULL,
  digest TEXT NOT NULL,
  prior REAL NOT NULL
);
CREATE TABLE chunks (
  id INTEGER PRIMARY KEY,
  document INTEGER NOT NULL,
  start_line INTEGER NOT NULL,
  end_line INTEGER NOT NULL,
  headings TEXT NOT NULL,
  width INTEGER NOT NULL,
  text TEXT NOT NULL
);
CREATE INDEX chunks_of_document ON chunks (document);
CREATE TABLE spelling (term TEXT PRIMARY KEY, sound TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX spelling_by_sound ON spelling (sound) WHERE sound <> '';
CREATE VIRTUAL TABLE terms USING fts5(
  words,
  content = '', contentless_delete = 1, detail = none, tokenize = "ascii tokenchars '-._+#=^~'"
);
`;

/** Settings of a connection: the index can be made anew, so a power cut may cost the last commits but no fault. */
export function configure(database: DatabaseSync): void {
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA busy_timeout = 5000;
    PRAGMA cache_size = -65536;
    PRAGMA temp_store = MEMORY;
  `);
}

/** Makes the tables of an empty file. */
export function createSchema(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec(schema);
    const put = database.prepare('INSERT INTO meta (name, value) VALUES (?, ?)');
    put.run('version', indexVersion);
    // Larger in-memory segments and fewer merges while many passages are added.
    database.prepare("INSERT INTO terms (terms, rank) VALUES ('hashsize', 16777216)").run();
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

/** The version that a file was made with; undefined when it holds no index. */
export function storedVersion(database: DatabaseSync): string | undefined {
  const table = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").get();
  if (table === undefined) return undefined;
  const row = database.prepare("SELECT value FROM meta WHERE name = 'version'").get();
  const value = row?.value;
  return typeof value === 'string' ? value : undefined;
}
