import type { Finder, Found } from './finder.ts';
import { score, terms } from './lexical-score.ts';

const snippetCharacters = 200;

/** Looks at every entry: needs no index, so the simulation uses it, and whoever has not filled an index yet. */
export const scanFinder: Finder = {
  start() {},
  find({ query, limit, kinds, tags, rows, accepts }) {
    const wanted = terms(query);
    const found: (Found & { updatedAt: number })[] = [];
    for (const row of rows()) {
      if (kinds.length > 0 && !kinds.includes(row.kind)) continue;
      if (!tags.every((tag) => row.tags.includes(tag)) || !accepts(row.id)) continue;
      const value = score(wanted, row.title, `${row.tags.join(' ')} ${row.body}`);
      if (value <= 0) continue;
      const endLine = row.body.split('\n').length;
      const passage = { startLine: 1, endLine, headings: [], highlights: [] };
      const snippet = row.body.slice(0, snippetCharacters);
      found.push({ id: row.id, score: value, ...passage, snippet, updatedAt: row.updatedAt });
    }
    found.sort((a, b) => b.score - a.score || b.updatedAt - a.updatedAt);
    return { method: 'scan', found: found.slice(0, limit).map(({ updatedAt: _, ...each }) => each) };
  },
};
