import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { create, insertMultiple, load, save, search } from '@orama/orama';
import MiniSearch from 'minisearch';
import { RagThreads } from '../../src/elders/rag/rag-threads.ts';
import { words } from '../retrieval/libraries.ts';
import type { BenchPassage } from './passages.ts';

/** What the engines are given. */
export interface EngineFiles {
  /** The tree of files, which the RAG sage reads itself. */
  readonly tree: string;
  /** Its passages ready-made, for the libraries. */
  readonly passages: string;
  /** What stays on disk between two processes. */
  readonly index: string;
}

/** A search engine in this comparison. */
export interface Engine {
  /** Takes all in and writes what a next process starts from. */
  build(files: EngineFiles): Promise<void>;
  /** Starts from what was written. */
  open(files: EngineFiles): Promise<void>;
  search(query: string): unknown;
  close(): Promise<void>;
}

const limit = 10;
const batch = 2_000;

async function* batches(path: string): AsyncGenerator<BenchPassage[]> {
  let some: BenchPassage[] = [];
  for await (const line of createInterface({ input: createReadStream(path) })) {
    some.push(JSON.parse(line));
    if (some.length < batch) continue;
    yield some;
    some = [];
  }
  yield some;
}

function elders(): Engine {
  let threads: RagThreads | undefined;
  let source = '';
  const answers = new Map<string, (answer: unknown) => void>();
  let settled = () => {};
  const start = ({ index, tree }: EngineFiles) => {
    source = tree;
    threads = new RagThreads(
      { indexPath: index, maxFileBytes: 4_000_000, embeddings: null },
      {
        onReport: ({ state }) => state === 'ready' && settled(),
        onForgotten: () => {},
        onAnswer: (id, answer) => {
          answers.get(id)?.(answer);
          answers.delete(id);
        },
        warn: (fields, text) => process.stderr.write(`${text} ${JSON.stringify(fields)}\n`),
      },
    );
    const ready = new Promise<void>((resolve) => {
      settled = resolve;
    });
    threads.index(tree);
    return ready;
  };
  return {
    build: (files) => start(files),
    async open(files) {
      // It answers before all has been looked at again.
      void start(files);
    },
    search(query) {
      const id = String(Math.random());
      const { promise, resolve } = Promise.withResolvers<unknown>();
      answers.set(id, resolve);
      threads?.ask({ id, kind: 'search', query, limit, below: null, sources: [source] });
      return promise;
    },
    close: async () => threads?.close(),
  };
}

function miniSearch(): Engine {
  const options = {
    fields: ['title', 'headings', 'text'],
    storeFields: ['path', 'startLine', 'endLine', 'text'],
    searchOptions: { boost: { title: 2, headings: 2 }, prefix: true, fuzzy: 0.1 },
    tokenize: words,
  };
  let index = new MiniSearch<BenchPassage>(options);
  return {
    async build({ passages, index: path }) {
      for await (const some of batches(passages)) index.addAll(some);
      writeFileSync(path, JSON.stringify(index));
    },
    async open({ index: path }) {
      index = MiniSearch.loadJSON<BenchPassage>(readFileSync(path, 'utf8'), options);
    },
    search: (query) => index.search(query).slice(0, limit),
    close: async () => {},
  };
}

function orama(): Engine {
  const schema = { path: 'string', title: 'string', headings: 'string', text: 'string' } as const;
  const tokenizer = {
    language: 'english',
    normalizationCache: new Map<string, string>(),
    tokenize: (text: string) => [...new Set(words(text))],
  };
  const database = create({ schema, components: { tokenizer } });
  return {
    async build({ passages, index: path }) {
      for await (const some of batches(passages)) {
        await insertMultiple(
          database,
          some.map(({ id: _, ...rest }) => rest),
          batch,
        );
      }
      writeFileSync(path, JSON.stringify(save(database)));
    },
    async open({ index: path }) {
      load(database, JSON.parse(readFileSync(path, 'utf8')));
    },
    search: (query) => search(database, { term: query, limit, boost: { title: 2, headings: 2 } }),
    close: async () => {},
  };
}

/** The engines by name; the libraries with words as ICU sees them, because their own do not part Japanese. */
export const engines: Readonly<Record<string, () => Engine>> = {
  'elders-tree': elders,
  'minisearch+icu': miniSearch,
  'orama+icu': orama,
};
