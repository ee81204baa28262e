import { z } from 'zod';

/** What an entry of the knowledge sage is. */
export const knowledgeKinds = ['lesson', 'decision', 'pattern', 'document'] as const;
export type KnowledgeKind = (typeof knowledgeKinds)[number];

/** Only what is `current` is found unless somebody asks for all. */
export const knowledgeStates = ['current', 'superseded', 'expired'] as const;
export type KnowledgeState = (typeof knowledgeStates)[number];

/** The most entries that one message brings. */
export const maxKnowledgeBatch = 50;
/** The most characters of a body. */
export const maxKnowledgeBody = 65_536;

/** Text that survives a file: a lone half of a surrogate pair would not. */
const text = (most: number) =>
  z
    .string()
    .max(most)
    .refine((value) => value.isWellFormed(), 'expected text that UTF-8 can hold');

function namesFile(id: string): boolean {
  return id
    .split('/')
    .every(
      (part) =>
        !/^[.\s]|\s$|[\\\p{Cc}]|\.(?:md|markdown)$/iu.test(part) &&
        part !== '' &&
        Buffer.byteLength(part) <= 200,
    );
}

/** Id of an entry. It is also its path in a folder of Markdown files, without `.md`. */
export const knowledgeId = text(200)
  .min(1)
  .refine(namesFile, 'expected the path of a file below a folder, without `.md`');

const links = z.array(text(200).min(1)).max(32);

/** What an entry belongs to. */
export const knowledgeLinks = z.object({
  directives: links.default([]),
  tasks: links.default([]).describe('`DIRECTIVE/TASK`.'),
  incidents: links.default([]),
});

/** All that the author of an entry says. Times are ms since the epoch. */
export const knowledgeContent = z.object({
  id: knowledgeId,
  title: text(300).min(1),
  body: text(maxKnowledgeBody).describe('Markdown.'),
  tags: z.array(text(64).min(1)).max(32),
  kind: z.enum(knowledgeKinds),
  source: text(300)
    .min(1)
    .describe('Where it comes from: `human`, `import`, a directive, a file, an address.'),
  confidence: z.number().min(0).max(1).nullable().describe('How sure its author is; null where nobody said.'),
  derived: z.boolean().describe('Written by a process from records, by nobody from experience.'),
  links: knowledgeLinks,
  expiresAt: z.int().nullable().describe('From then on it is found only by those who ask for all.'),
  supersededBy: knowledgeId.nullable().describe('The entry that holds in its place.'),
});
export type KnowledgeContent = z.infer<typeof knowledgeContent>;

/** An entry as it is handed in; what is left out has its usual value, of an existing entry too. */
export const knowledgeInput = z.object({
  id: knowledgeId.optional().describe('Without it, one is made of the title.'),
  title: knowledgeContent.shape.title,
  body: knowledgeContent.shape.body.default(''),
  tags: knowledgeContent.shape.tags.default([]),
  kind: knowledgeContent.shape.kind.default('lesson'),
  source: knowledgeContent.shape.source.default('human'),
  confidence: knowledgeContent.shape.confidence.default(null),
  derived: knowledgeContent.shape.derived.default(false),
  links: knowledgeLinks.default({ directives: [], tasks: [], incidents: [] }),
  expiresAt: knowledgeContent.shape.expiresAt.default(null),
  supersededBy: knowledgeContent.shape.supersededBy.default(null),
  ifVersion: z
    .int()
    .min(0)
    .optional()
    .describe('Refused unless this is its version now; 0: unless it is new.'),
});
export type KnowledgeInput = z.infer<typeof knowledgeInput>;

/** Another entry that says nearly the same. */
export const similarEntry = z.object({
  id: z.string(),
  similarity: z.number().describe('Share of the text that both have, 0 to 1, estimated.'),
});
export type SimilarEntry = z.infer<typeof similarEntry>;

/** An entry as it is kept. */
export const knowledgeEntry = knowledgeContent.extend({
  version: z.int(),
  state: z.enum(knowledgeStates),
  createdAt: z.number(),
  updatedAt: z.number(),
  by: z.string().describe('Who wrote this version: `human`, or the name of an elder.'),
  similar: z.array(similarEntry),
  supersedes: z.array(z.string()),
});
export type KnowledgeEntry = z.infer<typeof knowledgeEntry>;

/** A version of an entry, without its text. */
export const knowledgeVersion = z.object({
  version: z.int(),
  at: z.number(),
  by: z.string(),
  note: z.string(),
  changed: z.array(z.string()).describe('What differs from the version before; empty for the first.'),
  title: z.string(),
});

/** What became of an entry that was handed in. */
export const knowledgePutResult = z.object({
  id: z.string(),
  outcome: z.enum(['added', 'changed', 'unchanged', 'refused']),
  version: z.int().describe('The version that holds now; 0 where there is none.'),
  code: z.string().nullable(),
  reason: z.string().nullable().describe('Why it was refused.'),
  similar: z.array(similarEntry),
});
export type KnowledgePutResult = z.infer<typeof knowledgePutResult>;

/** Entries for the knowledge sage. */
export const knowledgePut = z.object({
  entries: z.array(knowledgeInput).min(1).max(maxKnowledgeBatch),
  note: text(500).default('').describe('Why; kept with the version.'),
});

/** An entry that is to be removed. */
export const knowledgeForget = z.object({ id: z.string().min(1).max(200) });
/** What was removed. */
export const forgottenKnowledge = z.object({
  id: z.string(),
  title: z.string(),
  versions: z.int().describe('Versions that were kept and are no more.'),
});

/** Which entries are meant. */
export const knowledgeFilters = z.object({
  kinds: z.array(z.enum(knowledgeKinds)).max(4).default([]),
  tags: z.array(z.string().max(64)).max(32).default([]).describe('An entry must have all of them.'),
  all: z.boolean().default(false).describe('Also what is superseded or expired.'),
});
export type KnowledgeFilters = z.infer<typeof knowledgeFilters>;

/** An entry as it is found. */
export const knowledgeHit = knowledgeEntry.extend({
  body: z.string().describe('Cut where all bodies together would not fit a message.'),
  score: z.number().describe('Comparable within one answer only.'),
  startLine: z.int().describe('Of the best passage, in the body.'),
  endLine: z.int(),
  headings: z.array(z.string()),
  snippet: z.string(),
  highlights: z.array(z.object({ start: z.int(), end: z.int() })).describe('In the snippet.'),
  explanation: z.json().optional().describe('How the score came about.'),
});
export type KnowledgeHit = z.infer<typeof knowledgeHit>;
