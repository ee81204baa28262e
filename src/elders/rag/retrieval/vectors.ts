import type { SearchIndex } from '../../search/full-text/search-index.ts';
import { type EmbeddingSettings, embed } from './embeddings.ts';

const perRequest = 32;
/** A longer passage says at its beginning what it is about, and servers refuse long ones (characters). */
const longest = 6_000;

/** What stands for the model in the index: vectors of another are of no use. */
function modelOf({ protocol, model }: EmbeddingSettings): string {
  return `${protocol}/${model}`;
}

/** Gives the next passages without a vector one; how many were given, 0 when all have theirs. */
export async function embedSome(index: SearchIndex, settings: EmbeddingSettings): Promise<number> {
  const model = modelOf(settings);
  const rows = index
    .statement(
      `SELECT chunks.id AS id, documents.title AS title, chunks.text AS text FROM chunks JOIN documents ON documents.id = chunks.document
       WHERE chunks.id NOT IN (SELECT chunk FROM rag_vectors WHERE model = ?) LIMIT ${perRequest}`,
    )
    .all(model);
  if (rows.length === 0) return 0;
  const vectors = await embed(
    settings,
    rows.map((row) => `${row.title}\n${row.text}`.slice(0, longest)),
  );
  index.batch(() => {
    const put = index.statement('INSERT OR REPLACE INTO rag_vectors (chunk, model, vector) VALUES (?, ?, ?)');
    // Its text may have been replaced meanwhile, under the same number.
    const same = index.statement('SELECT 1 FROM chunks WHERE id = ? AND text = ?');
    for (const [at, row] of rows.entries()) {
      const vector = vectors[at];
      if (vector === undefined || same.get(Number(row.id), String(row.text)) === undefined) continue;
      put.run(Number(row.id), model, new Uint8Array(vector.buffer));
    }
  });
  return rows.length;
}

/** The passages nearest to a question by cosine, nearest first; every vector is looked at. */
export async function nearest(
  index: SearchIndex,
  settings: EmbeddingSettings,
  query: string,
  limit: number,
): Promise<number[]> {
  const model = modelOf(settings);
  const any = index.statement('SELECT 1 FROM rag_vectors WHERE model = ? LIMIT 1').get(model);
  if (any === undefined) return [];
  const [wanted] = await embed(settings, [query]);
  if (wanted === undefined) return [];
  const best: { id: number; score: number }[] = [];
  let least = -1;
  for (const row of index.statement('SELECT chunk, vector FROM rag_vectors WHERE model = ?').iterate(model)) {
    const bytes = row.vector as Uint8Array;
    if (bytes.byteLength !== wanted.byteLength) continue;
    const vector = new Float32Array(
      bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
    );
    let score = 0;
    for (let at = 0; at < wanted.length; at += 1) score += (wanted[at] ?? 0) * (vector[at] ?? 0);
    if (best.length >= limit && score <= least) continue;
    best.push({ id: Number(row.chunk), score });
    best.sort((a, b) => b.score - a.score);
    if (best.length > limit) best.pop();
    least = best.at(-1)?.score ?? -1;
  }
  return best.map(({ id }) => id);
}
