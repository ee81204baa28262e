import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import {
  defaultCorpus,
  halfOf,
  passageHash,
  passageText,
  readQuestions,
} from '../../bench/retrieval/questions.ts';

const questions = readQuestions();

function count(lang: string, kind?: string): number {
  return questions.filter(
    (question) => question.lang === lang && (kind === undefined || question.kind === kind),
  ).length;
}

test('the question set is as large as the goal asks, in each language and kind', () => {
  assert.ok(count('ja') >= 120);
  assert.ok(count('en') >= 60);
  for (const kind of ['keyword', 'paraphrase', 'two-character']) assert.ok(count('ja', kind) >= 30, kind);
  for (const kind of ['keyword', 'paraphrase', 'cross']) assert.ok(count('en', kind) >= 20, kind);
});

test('ids and questions are unique, line ranges valid, and both halves hold every language and kind', () => {
  assert.equal(new Set(questions.map(({ id }) => id)).size, questions.length);
  assert.equal(new Set(questions.map(({ question }) => question)).size, questions.length);
  for (const { id, lang, kind, answers } of questions) {
    assert.ok(id.startsWith(`${lang}-${kind}-`), id);
    for (const { startLine, endLine } of answers) assert.ok(startLine <= endLine, id);
  }
  const groups = (half: string) =>
    new Set(
      questions.filter((question) => halfOf(question) === half).map(({ lang, kind }) => `${lang}-${kind}`),
    );
  assert.deepEqual([...groups('tune')].sort(), [...groups('test')].sort());
});

test('the set is the one that was frozen before tuning', () => {
  const hash = createHash('sha256');
  for (const { id, question, answers } of questions) hash.update(JSON.stringify([id, question, answers]));
  // Correct an error in an expected passage only, and name it in bench/retrieval/corrections.md.
  assert.equal(hash.digest('hex').slice(0, 16), 'ef42a966a5be99d4');
});

test('every answering passage stands in the corpus as it stood when the question was written', {
  skip: existsSync(defaultCorpus) ? false : `no corpus at ${defaultCorpus}`,
}, () => {
  for (const { id, answers } of questions) {
    for (const passage of answers) {
      assert.equal(
        passageHash(passageText(defaultCorpus, passage)),
        passage.sha256,
        `${id}: ${passage.path}`,
      );
    }
  }
});
