import type { ConceptTable } from '../language/concepts.ts';
import { formOf, unitWeights } from './forms.ts';
import type { Form } from './unit.ts';

/** Ways to say a word that are looked for at most: each costs look-ups. */
const mostExpansions = 12;

/** Other ways to say a word; `tables` by how much they are to be trusted, that of the project first. */
export function expansions(
  word: string,
  tables: readonly ConceptTable[],
  own: 'japanese' | 'english',
): Form[] {
  const forms = new Map<string, Form>();
  tables.forEach((table, index) => {
    for (const concept of table.of(word)) {
      for (const language of ['japanese', 'english'] as const) {
        for (const other of concept[language]) {
          if (other === word || forms.has(other)) continue;
          const origin = index === 0 ? 'dictionary' : language === own ? 'synonym' : 'translation';
          forms.set(other, formOf(other, origin, unitWeights[origin] * table.share));
        }
      }
    }
  });
  return [...forms.values()].slice(0, mostExpansions);
}
