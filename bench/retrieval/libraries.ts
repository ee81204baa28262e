import { create, insertMultiple, search } from '@orama/orama';
import MiniSearch from 'minisearch';
import { type Contestant, type FlatPassage, flatten } from './contestant.ts';

const segmenter = new Intl.Segmenter('ja', { granularity: 'word' });

/** Words as ICU sees them: what a user of these libraries reaches for in Japanese. */
export function words(text: string): string[] {
  const found: string[] = [];
  for (const { segment, isWordLike } of segmenter.segment(text.normalize('NFKC').toLowerCase())) {
    if (isWordLike === true) found.push(segment);
  }
  return found;
}

/** MiniSearch with the title and headings boosted; its own tokenizer, or ICU's words. */
export function miniSearch(segmented: boolean): Contestant {
  const index = new MiniSearch<FlatPassage>({
    fields: ['title', 'headings', 'text'],
    searchOptions: { boost: { title: 2, headings: 2 }, prefix: true, fuzzy: 0.1 },
    ...(segmented ? { tokenize: words } : {}),
  });
  const byId = new Map<number, FlatPassage>();
  return {
    name: segmented ? 'minisearch+icu' : 'minisearch',
    load(documents) {
      const passages = flatten(documents);
      for (const passage of passages) byId.set(passage.id, passage);
      index.addAll(passages);
    },
    search: (question, limit) =>
      index
        .search(question)
        .slice(0, limit)
        .flatMap(({ id }) => byId.get(Number(id)) ?? []),
  };
}

/** Orama with the title and headings boosted; its English tokenizer, or ICU's words. */
export function orama(segmented: boolean): Contestant {
  const schema = { title: 'string', headings: 'string', text: 'string', number: 'number' } as const;
  const tokenizer = {
    language: 'english',
    normalizationCache: new Map<string, string>(),
    tokenize: (text: string) => [...new Set(words(text))],
  };
  const database = segmented ? create({ schema, components: { tokenizer } }) : create({ schema });
  const byId = new Map<number, FlatPassage>();
  return {
    name: segmented ? 'orama+icu' : 'orama',
    async load(documents) {
      const passages = flatten(documents);
      for (const passage of passages) byId.set(passage.id, passage);
      await insertMultiple(
        database,
        passages.map(({ id, title, headings, text }) => ({ number: id, title, headings, text })),
        1_000,
      );
    },
    async search(question, limit) {
      const { hits } = await search(database, { term: question, limit, boost: { title: 2, headings: 2 } });
      return hits.flatMap(({ document }) => byId.get(document.number) ?? []);
    },
  };
}
