import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { flatten } from '../../bench/retrieval/contestant.ts';
import { readCorpus } from '../../bench/retrieval/corpus.ts';
import { engine } from '../../bench/retrieval/engine.ts';
import { ask, scoresOf } from '../../bench/retrieval/measure.ts';
import { bigramBm25 } from '../../bench/retrieval/plain-engines.ts';
import { defaultCorpus, readQuestions } from '../../bench/retrieval/questions.ts';

test('keyword and two-character questions find their passage among the first five, paraphrases more often than by BM25', {
  skip: existsSync(defaultCorpus) ? false : `no corpus at ${defaultCorpus}`,
}, async () => {
  const documents = readCorpus(defaultCorpus);
  const passages = flatten(documents);
  const questions = readQuestions();
  const own = engine();
  const plain = bigramBm25();
  try {
    await own.load(documents);
    await plain.load(documents);
    const outcomes = await ask(own, questions, passages);
    const plainOutcomes = await ask(plain, questions, passages);
    const recall = (of: typeof outcomes, lang: string, kind: string) =>
      scoresOf(of.filter(({ question }) => question.lang === lang && question.kind === kind)).recallAt5;
    for (const [lang, kind] of [
      ['ja', 'keyword'],
      ['ja', 'two-character'],
      ['en', 'keyword'],
    ] as const) {
      assert.ok(recall(outcomes, lang, kind) >= 0.85, `${lang} ${kind}`);
    }
    for (const [lang, kind] of [
      ['ja', 'paraphrase'],
      ['en', 'paraphrase'],
      ['en', 'cross'],
    ] as const) {
      assert.ok(recall(outcomes, lang, kind) > recall(plainOutcomes, lang, kind) + 0.1, `${lang} ${kind}`);
    }
  } finally {
    own.close?.();
  }
});
