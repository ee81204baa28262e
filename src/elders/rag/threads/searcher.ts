import { parentPort, workerData } from 'node:worker_threads';
import { asElderError } from '../../../protocol/errors.ts';
import { SearchIndex } from '../../search/full-text/search-index.ts';
import { builtInConcepts } from '../../search/language/concepts.ts';
import { DictionaryFile } from '../../search/language/dictionary-file.ts';
import { isDamage } from '../indexing/index-store.ts';
import type { SearcherNews, SearcherOrder, SearchQuestion, ThreadSettings } from '../indexing/messages.ts';
import { SemanticSearch } from '../meaning/semantic.ts';
import { Retriever } from '../retrieval/retriever.ts';

const settings = workerData as ThreadSettings;
const dictionary = new DictionaryFile(settings.dictionaryPath, (text) => tell({ kind: 'warning', text }));
let index: SearchIndex | undefined;
let retriever: Retriever | undefined;
let waiting: SearchQuestion[] = [];

function tell(news: SearcherNews): void {
  parentPort?.postMessage(news);
}

/** Opens the index, which the indexing thread has just found whole or made anew. */
function open(): void {
  try {
    index?.close();
  } catch {
    // It is of no use any more.
  }
  index = SearchIndex.open(settings.indexPath);
  // The kernel caches the file too, for both threads together.
  index.database.exec('PRAGMA cache_size = -16384');
  const { embeddings } = settings;
  const onOtherLength = (bytes: number) => tell({ kind: 'other_length', bytes });
  const semantic =
    embeddings === null ? null : new SemanticSearch(index, { settings: embeddings, onOtherLength });
  retriever = new Retriever(index, { semantic, dictionary });
  const held = waiting;
  waiting = [];
  for (const question of held) void answer(question);
  // The first question need not wait for the vocabulary.
  setImmediate(builtInConcepts);
}

async function answer(question: SearchQuestion): Promise<void> {
  if (retriever === undefined) {
    waiting.push(question);
    return;
  }
  const { id, query, below, sources } = question;
  const narrowed = { below, sources };
  try {
    const result =
      question.kind === 'search'
        ? await retriever.search(query, question.limit, { ...narrowed, explain: question.explain === true })
        : await retriever.context(query, question.budget, narrowed);
    tell({ kind: 'answer', id, answer: { result } });
  } catch (error) {
    if (isDamage(error)) {
      // It is answered from the new index, which fills up again meanwhile.
      retriever = undefined;
      waiting.push(question);
      tell({ kind: 'damaged' });
      return;
    }
    tell({ kind: 'answer', id, answer: { error: asElderError(error).toJSON() } });
  }
}

parentPort?.on('message', (order: SearcherOrder) => {
  if (order.kind === 'opened') open();
  else void answer(order);
});
