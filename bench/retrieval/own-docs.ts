import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { chunkMarkdown } from '../../src/elders/search/chunks/markdown.ts';
import type { CorpusDocument } from './corpus.ts';
import type { Passage, Question } from './questions.ts';

const root = join(import.meta.dirname, '../..');

const lineSchema = z.strictObject({
  id: z.string(),
  lang: z.enum(['ja', 'en']),
  kind: z.enum(['keyword', 'two-character', 'paraphrase', 'cross']),
  question: z.string().trim().min(1),
  /** Where the answer stands; left out: in whichever document holds the text. */
  path: z.string().optional(),
  /** Stands in each passage that answers; with a path, the first place of it counts. */
  text: z.string().min(1),
});

function readMarkdown(folder: string, paths: readonly string[]): CorpusDocument[] {
  return [...paths].sort().map((path) => {
    const { title, chunks } = chunkMarkdown(readFileSync(join(folder, path), 'utf8'));
    return { path, title: title ?? path, chunks };
  });
}

/** The documentation of this repository, cut like the corpus. */
export function readOwnDocs(): CorpusDocument[] {
  return readMarkdown(root, [...globSync('docs/**/*.md', { cwd: root }), 'README.md', 'README.ja.md']);
}

/** Every Markdown document below a folder, cut like the corpus. */
export function readFolder(folder: string): CorpusDocument[] {
  return readMarkdown(folder, globSync('**/*.md', { cwd: folder }));
}

function placesOf(folder: string, path: string, text: string): Passage[] {
  const lines = readFileSync(join(folder, path), 'utf8').split(/\r?\n/u);
  return lines.flatMap((line, at) =>
    line.includes(text) ? [{ path, startLine: at + 1, endLine: at + 1, sha256: '' }] : [],
  );
}

/** Questions that name their answers by a text in them; those whose answer the documents no longer hold are left out. */
export function readMarkedQuestions(
  file: string,
  folder: string,
  documents: readonly CorpusDocument[],
): Question[] {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.flatMap((line): Question[] => {
    const { id, lang, kind, question, path, text } = lineSchema.parse(JSON.parse(line));
    const answers =
      path === undefined
        ? documents.flatMap((document) => placesOf(folder, document.path, text))
        : placesOf(folder, path, text).slice(0, 1);
    return answers.length === 0 ? [] : [{ id, lang, kind, question, answers }];
  });
}

/** Questions on the documentation of this repository. */
export function readOwnQuestions(): Question[] {
  return readMarkedQuestions(join(import.meta.dirname, 'own-docs.jsonl'), root, readOwnDocs());
}
