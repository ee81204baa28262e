import { closeSync, openSync, writeSync } from 'node:fs';
import { FileCutter } from '../../src/elders/rag/cut/cut-file.ts';
import { walk } from '../../src/elders/rag/files/walk.ts';

/** A passage as the libraries take it, with what an answer has to show. */
export interface BenchPassage {
  readonly id: number;
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
  readonly title: string;
  readonly headings: string;
  readonly text: string;
}

/** Writes the passages of a tree, cut as the RAG sage cuts them, one a line; gives how many they are. */
async function writePassages(tree: string, file: string): Promise<{ passages: number; characters: number }> {
  const cutter = new FileCutter(4_000_000);
  const out = openSync(file, 'w');
  let id = 0;
  let characters = 0;
  for (const { path, reason, size } of walk(tree)) {
    if (reason !== undefined) continue;
    const { prepared } = await cutter.cut({ path, shown: path, size, knownHash: undefined });
    for (const { chunk } of prepared?.chunks ?? []) {
      const { startLine, endLine, headingPath, innerHeadings, text } = chunk;
      id += 1;
      characters += text.length;
      const headings = [...headingPath, ...innerHeadings].join('\n');
      const title = prepared?.document.title ?? '';
      const passage: BenchPassage = { id, path, startLine, endLine, title, headings, text };
      writeSync(out, `${JSON.stringify(passage)}\n`);
    }
  }
  closeSync(out);
  return { passages: id, characters };
}

const [, program, tree, file] = process.argv;
if (program === import.meta.filename && tree !== undefined && file !== undefined) {
  process.stdout.write(JSON.stringify(await writePassages(tree, file)));
}
