import { asElderError, ElderError } from '../../../protocol/errors.ts';
import type { SearchIndex } from '../../search/full-text/search-index.ts';
import { type EmbeddingSettings, embed } from './embeddings.ts';

const perRequest = 32;
/** A longer passage says at its beginning what it is about, and servers refuse long ones (characters). */
const longest = 6_000;
/** Stands for the vector of a passage that the server refuses, so that it is not asked for again and again. */
const refused = new Uint8Array();

/** How many passages have vectors. */
export interface VectorCounts {
  readonly made: number;
  /** Passages that the server gave none for. */
  readonly refused: number;
  readonly passages: number;
}

/** What stands for the model in the index: vectors of another are of no use. */
export function modelOf({ protocol, model }: Pick<EmbeddingSettings, 'protocol' | 'model'>): string {
  return `${protocol}/${model}`;
}

/** Asks for texts together, and one by one where that is refused; null for a text that is refused by itself. */
async function embedEach(
  settings: EmbeddingSettings,
  texts: readonly string[],
): Promise<(Float32Array | null)[]> {
  try {
    return await embed(settings, texts);
  } catch (error) {
    if (asElderError(error).code !== 'malformed' || texts.length === 1) throw error;
    const vectors: (Float32Array | null)[] = [];
    for (const text of texts) {
      const [vector = null] = await embed(settings, [text]).catch((reason) => {
        if (asElderError(reason).code !== 'malformed') throw reason;
        return [];
      });
      vectors.push(vector);
    }
    // A server that refuses everything is set up wrongly; no passage is to blame.
    if (vectors.every((vector) => vector === null)) throw error;
    return vectors;
  }
}

/**
 * Gives the next passages without a vector one; how many were looked at, 0 when all have theirs. Vectors of another
 * length are thrown away: the server has another model behind the same name. Throws what `embed` does.
 */
export async function embedSome(index: SearchIndex, settings: EmbeddingSettings): Promise<number> {
  const model = modelOf(settings);
  const rows = index
    .statement(
      `SELECT chunks.id AS id, documents.title AS title, chunks.text AS text FROM chunks JOIN documents ON documents.id = chunks.document
       WHERE chunks.id NOT IN (SELECT chunk FROM rag_vectors WHERE model = ?) LIMIT ${perRequest}`,
    )
    .all(model);
  if (rows.length === 0) return 0;
  const texts = rows.map((row) => `${row.title}\n${row.text}`.slice(0, longest).toWellFormed());
  const vectors = await embedEach(settings, texts);
  const length = vectors.find((vector) => vector !== null)?.byteLength ?? 0;
  index.batch(() => {
    forgetVectorsOfOtherLength(index, settings, length);
    const put = index.statement('INSERT OR REPLACE INTO rag_vectors (chunk, model, vector) VALUES (?, ?, ?)');
    // Its text may have been replaced meanwhile, under the same number.
    const same = index.statement('SELECT 1 FROM chunks WHERE id = ? AND text = ?');
    for (const [at, row] of rows.entries()) {
      const vector = vectors[at];
      if (vector === undefined || same.get(Number(row.id), String(row.text)) === undefined) continue;
      put.run(Number(row.id), model, vector === null ? refused : new Uint8Array(vector.buffer));
    }
  });
  return rows.length;
}

/** Throws away what cannot be compared with vectors of this length (bytes). */
export function forgetVectorsOfOtherLength(
  index: SearchIndex,
  settings: EmbeddingSettings,
  length: number,
): void {
  index
    .statement('DELETE FROM rag_vectors WHERE model = ? AND length(vector) NOT IN (0, ?)')
    .run(modelOf(settings), length);
}

/** Counts passages and vectors. */
export function countVectors(index: SearchIndex, settings: EmbeddingSettings): VectorCounts {
  const row = index
    .statement(
      `SELECT (SELECT count(*) FROM chunks) AS passages,
         (SELECT count(*) FROM rag_vectors WHERE model = ?1 AND length(vector) > 0) AS made,
         (SELECT count(*) FROM rag_vectors WHERE model = ?1 AND length(vector) = 0) AS refused`,
    )
    .get(modelOf(settings));
  return { made: Number(row?.made), refused: Number(row?.refused), passages: Number(row?.passages) };
}

/** What `nearest` found. */
export interface Nearest {
  /** Passages, the nearest first. */
  readonly ids: readonly number[];
  /** Length of the vector of the question (bytes), where those in the index have another; undefined where they fit. */
  readonly otherLength: number | undefined;
}

/** The passages nearest to a question by cosine, nearest first; every vector is looked at. Throws what `embed` does. */
export async function nearest(
  index: SearchIndex,
  settings: EmbeddingSettings,
  query: string,
  limit: number,
): Promise<Nearest> {
  const model = modelOf(settings);
  const any = index
    .statement('SELECT 1 FROM rag_vectors WHERE model = ? AND length(vector) > 0 LIMIT 1')
    .get(model);
  if (any === undefined) return { ids: [], otherLength: undefined };
  const [wanted] = await embed(settings, [query]);
  if (wanted === undefined) throw new ElderError('malformed', 'the embedding server gave no vector');
  const best: { id: number; score: number }[] = [];
  let least = -1;
  let isComparable = false;
  for (const row of index.statement('SELECT chunk, vector FROM rag_vectors WHERE model = ?').iterate(model)) {
    const bytes = row.vector as Uint8Array;
    if (bytes.byteLength !== wanted.byteLength) continue;
    isComparable = true;
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
  return { ids: best.map(({ id }) => id), otherLength: isComparable ? undefined : wanted.byteLength };
}
