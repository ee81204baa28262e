import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** Where the retrieval corpus lies when `--corpus` names no other folder: beside the checkout. */
export const defaultCorpus = join(import.meta.dirname, '..', '..', '..', 'shared', 'corpus');

const passageSchema = z.strictObject({
  /** Relative to the corpus. */
  path: z.string().regex(/^(?!\/)(?!.*\.\.\/).+\.md$/u),
  /** First and last line, counted from 1. */
  startLine: z.int().positive(),
  endLine: z.int().positive(),
  /** First 16 hex digits of the SHA-256 of the lines joined by a line feed. */
  sha256: z.string().regex(/^[0-9a-f]{16}$/u),
});

const questionSchema = z.strictObject({
  id: z.string(),
  lang: z.enum(['ja', 'en']),
  kind: z.enum(['keyword', 'paraphrase', 'two-character', 'identifier', 'cross']),
  question: z.string().trim().min(1),
  /** Each of them answers the question. */
  answers: z.array(passageSchema).min(1),
});

/** A passage of the corpus. */
export type Passage = z.infer<typeof passageSchema>;
/** A question with every passage that answers it. */
export type Question = z.infer<typeof questionSchema>;
/** The half that may be looked at while tuning, and the half that judges. */
export type Half = 'tune' | 'test';

/** Reads the frozen question set. Throws on a line that does not follow the schema. */
export function readQuestions(): Question[] {
  const text = readFileSync(join(import.meta.dirname, 'questions.jsonl'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => questionSchema.parse(JSON.parse(line)));
}

/** The half of a question: by a hash of its id, so that nobody chose it. */
export function halfOf(question: Pick<Question, 'id'>): Half {
  const first = createHash('sha256').update(question.id).digest()[0] ?? 0;
  return first % 2 === 0 ? 'tune' : 'test';
}

/** What the hash of a passage is taken over. Throws when the file cannot be read. */
export function passageText(
  corpus: string,
  passage: Pick<Passage, 'path' | 'startLine' | 'endLine'>,
): string {
  const lines = readFileSync(join(corpus, passage.path), 'utf8').split(/\r?\n/u);
  return lines.slice(passage.startLine - 1, passage.endLine).join('\n');
}

/** The hash that a passage of the question set carries for `text`. */
export function passageHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
