import { z } from 'zod';

/** Where the indexing of a folder stands. */
export const ragSourceStates = ['waiting', 'indexing', 'ready', 'failed'] as const;
export type RagSourceState = (typeof ragSourceStates)[number];

/** Something about a file that people should know. */
export const ragProblem = z.object({
  path: z.string(),
  kind: z
    .string()
    .describe('`secret`, `too_large`, `unreadable`, `changing`, `failed`, `invalid_text`, `encoding`.'),
  indexed: z.boolean().describe('Whether it can be found all the same.'),
  detail: z.string(),
});
export type RagProblem = z.infer<typeof ragProblem>;

/** A folder that is indexed and watched. Times are ms since the epoch. */
export const ragSource = z.object({
  path: z.string(),
  state: z.enum(ragSourceStates),
  reason: z.string().nullable().describe('Why it failed.'),
  addedAt: z.number(),
  at: z.number().nullable().describe('When this was last true.'),
  files: z.int(),
  passages: z.int(),
  bytes: z.int(),
  skipped: z.record(z.string(), z.int()).describe('Files that are not indexed, by reason.'),
  problems: z.array(ragProblem).describe('The first of them.'),
  problemCount: z.int(),
  changed: z.int().describe('Files that the last round read.'),
  tookMs: z.number(),
  watching: z.enum(['yes', 'partly', 'no']),
});
export type RagSource = z.infer<typeof ragSource>;

/** How many passages can be found by meaning. */
export const ragVectors = z.object({
  model: z.string().describe('Protocol and model of the embedding server.'),
  made: z.int().describe('Passages that have a vector.'),
  refused: z.int().describe('Passages that the server gave none for.'),
  passages: z.int(),
  reason: z.string().nullable().describe('Why no more are made for now.'),
});
export type RagVectors = z.infer<typeof ragVectors>;

/** How passages were found: by their words, or by words and meaning together. */
const retrievalMethod = z.enum(['lexical', 'hybrid']);

/** A passage with where it stands. */
export const ragHit = z.object({
  path: z.string().describe('Absolute path of the file.'),
  relativePath: z.string().describe('Its path below the folder that is indexed.'),
  title: z.string(),
  headings: z.array(z.string()).describe('Headings, or names of the definitions, that it stands in.'),
  startLine: z.int(),
  endLine: z.int(),
  score: z.number().describe('Comparable within one answer only.'),
  snippet: z.string(),
  highlights: z.array(z.object({ start: z.int(), end: z.int() })).describe('In the snippet.'),
  text: z.string().describe('The whole passage.'),
  language: z.string(),
  commit: z
    .string()
    .nullable()
    .describe('What git has checked out there; null for a file that it does not track.'),
  modified: z
    .boolean()
    .nullable()
    .describe('Whether the passage is of another content than git tracks; null where that is not known.'),
  blob: z.string().describe('The id that git gives to exactly this content of the file.'),
  ranks: z
    .object({ lexical: z.int().nullable(), vector: z.int().nullable() })
    .describe('Its place in each list.'),
  explanation: z.json().optional().describe('How its score by words came about, where that was asked for.'),
});
export type RagHit = z.infer<typeof ragHit>;

/** What a search gives. */
export const ragAnswer = z.object({
  method: retrievalMethod,
  reason: z.string().nullable().describe('Why it was lexical although embeddings are configured.'),
  indexing: z.boolean().describe('Whether a folder is not indexed completely yet.'),
  results: z.array(ragHit),
});
export type RagAnswer = z.infer<typeof ragAnswer>;

/** Passages put together for a model to read. */
export const ragContext = z.object({
  method: retrievalMethod,
  reason: z.string().nullable(),
  budget: z.int(),
  tokens: z.int().describe('Estimated from the characters; models count differently.'),
  context: z.string(),
  citations: z.array(
    ragHit
      .pick({ path: true, startLine: true, endLine: true, commit: true, modified: true, blob: true })
      .extend({ number: z.int() }),
  ),
});
export type RagContext = z.infer<typeof ragContext>;
