import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { chunkMarkdown } from '../../src/elders/search/chunks/markdown.ts';
import type { CorpusDocument } from './corpus.ts';
import type { Question } from './questions.ts';

const root = join(import.meta.dirname, '../..');

const lineSchema = z.strictObject({
  id: z.string(),
  lang: z.enum(['ja', 'en']),
  kind: z.enum(['keyword', 'paraphrase', 'cross']),
  question: z.string().trim().min(1),
  path: z.string(),
  /** Stands once in the file, in the passage that answers. */
  text: z.string().min(1),
});

/** The documentation of this repository, cut like the corpus. */
export function readOwnDocs(): CorpusDocument[] {
  return [...globSync('docs/**/*.md', { cwd: root }), 'README.md', 'README.ja.md'].sort().map((path) => {
    const { title, chunks } = chunkMarkdown(readFileSync(join(root, path), 'utf8'));
    return { path, title: title ?? path, chunks };
  });
}

/** Questions on them; those whose answer the documentation no longer holds are left out. */
export function readOwnQuestions(): Question[] {
  const lines = readFileSync(join(import.meta.dirname, 'own-docs.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines.flatMap((line): Question[] => {
    const { id, lang, kind, question, path, text } = lineSchema.parse(JSON.parse(line));
    const at =
      readFileSync(join(root, path), 'utf8')
        .split('\n')
        .findIndex((each) => each.includes(text)) + 1;
    if (at === 0) return [];
    return [{ id, lang, kind, question, answers: [{ path, startLine: at, endLine: at, sha256: '' }] }];
  });
}
