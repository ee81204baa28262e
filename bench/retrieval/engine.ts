import { SearchIndex } from '../../src/elders/search/full-text/search-index.ts';
import { Searcher } from '../../src/elders/search/query/searcher.ts';
import type { Contestant } from './contestant.ts';

/** The engine of Elders Tree, as it is used by its sages. */
export function engine(): Contestant {
  const index = SearchIndex.open(':memory:');
  const searcher = new Searcher(index);
  return {
    name: 'elders-tree',
    load(documents) {
      index.batch(() => {
        for (const { path, title, chunks } of documents) index.put({ key: path, path, title, chunks });
      });
    },
    search: (question, limit) => searcher.search(question, { limit }).results,
    close: () => index.close(),
  };
}
