import type { StoredChunk, StoredDocument } from '../full-text/document.ts';
import type { SearchIndex } from '../full-text/search-index.ts';

type Row = Record<string, unknown>;

function chunkOf(row: Row): StoredChunk {
  const [headingPath = [], innerHeadings = []] = JSON.parse(String(row.headings)) as string[][];
  return {
    id: Number(row.id),
    documentId: Number(row.document),
    startLine: Number(row.start_line),
    endLine: Number(row.end_line),
    headingPath,
    innerHeadings,
    text: String(row.text),
    width: Number(row.width),
  };
}

/** Reads passages by id; those that are gone are left out. */
export function readChunks(index: SearchIndex, ids: readonly number[]): StoredChunk[] {
  return index
    .statement(
      `SELECT id, document, start_line, end_line, headings, width, text FROM chunks
       WHERE id IN (SELECT value FROM json_each(?))`,
    )
    .all(JSON.stringify(ids))
    .map(chunkOf);
}

/** Reads the documents that passages belong to, by id. */
export function readDocuments(index: SearchIndex, ids: Iterable<number>): Map<number, StoredDocument> {
  const rows = index
    .statement(
      `SELECT id, key, path, title, tags, attributes, digest, prior FROM documents
       WHERE id IN (SELECT value FROM json_each(?))`,
    )
    .all(JSON.stringify([...new Set(ids)]));
  return new Map(
    rows.map((row) => {
      const document: StoredDocument = {
        id: Number(row.id),
        key: String(row.key),
        path: String(row.path),
        title: String(row.title),
        tags: JSON.parse(String(row.tags)) as string[],
        attributes: JSON.parse(String(row.attributes)) as Record<string, string>,
        digest: String(row.digest),
        prior: Number(row.prior),
      };
      return [document.id, document] as const;
    }),
  );
}
