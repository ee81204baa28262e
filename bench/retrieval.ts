import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Contestant, flatten } from './retrieval/contestant.ts';
import { type CorpusDocument, readCorpus } from './retrieval/corpus.ts';
import { engine } from './retrieval/engine.ts';
import { miniSearch, orama } from './retrieval/libraries.ts';
import { ask, type Outcome, type Scores, scoresOf } from './retrieval/measure.ts';
import { readFolder, readMarkedQuestions, readOwnDocs, readOwnQuestions } from './retrieval/own-docs.ts';
import { bigramBm25, trigram } from './retrieval/plain-engines.ts';
import {
  defaultCorpus,
  halfOf,
  passageHash,
  passageText,
  type Question,
  readQuestions,
} from './retrieval/questions.ts';

/**
 * How well questions find their passages: this engine beside four others, over the same passages, in one run.
 * `--half tune|test` looks at one half of the questions, `--only NAME` at one contestant, `--misses` names the
 * questions that were not answered among the first five. `--set docs` asks questions on the documentation of this
 * repository instead, which the engine was not tuned on; `--questions FILE --corpus FOLDER` asks those of a file, in the
 * form of `retrieval/own-docs.jsonl`, of the Markdown documents in any folder.
 */
const { values } = parseArgs({
  options: {
    corpus: { type: 'string', default: defaultCorpus },
    half: { type: 'string' },
    only: { type: 'string' },
    misses: { type: 'boolean', default: false },
    set: { type: 'string', default: 'corpus' },
    questions: { type: 'string' },
  },
});

interface Row {
  readonly contestant: string;
  readonly half: string;
  readonly lang: string;
  readonly kind: string;
  readonly scores: Scores;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** The part of the questions that one belongs to: its half, or the set that has no halves. */
function partOf(question: Question): string {
  if (values.questions !== undefined) return 'own';
  return values.set === 'corpus' ? halfOf(question) : values.set;
}

function rowsOf(contestant: string, outcomes: readonly Outcome[]): Row[] {
  const rows: Row[] = [];
  for (const half of new Set(outcomes.map(({ question }) => partOf(question)))) {
    const inHalf = outcomes.filter(({ question }) => partOf(question) === half);
    for (const lang of ['ja', 'en']) {
      const inLanguage = inHalf.filter(({ question }) => question.lang === lang);
      for (const kind of ['all', ...new Set(inLanguage.map(({ question }) => question.kind))]) {
        const chosen = inLanguage.filter(({ question }) => kind === 'all' || question.kind === kind);
        if (chosen.length > 0) rows.push({ contestant, half, lang, kind, scores: scoresOf(chosen) });
      }
    }
  }
  return rows;
}

function print(rows: readonly Row[]): void {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const name = `${row.half}, ${row.lang}, ${row.kind} (${row.scores.questions})`;
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  for (const [name, group] of groups) {
    say(`\n${name}`);
    say('  contestant        recall@5   nDCG@10       MRR');
    for (const { contestant, scores } of group) {
      const figures = [scores.recallAt5, scores.ndcgAt10, scores.mrr].map((one) =>
        one.toFixed(3).padStart(9),
      );
      say(`  ${contestant.padEnd(16)} ${figures.join(' ')}`);
    }
  }
}

interface QuestionSet {
  readonly documents: readonly CorpusDocument[];
  readonly questions: readonly Question[];
}

/** The corpus with the frozen questions; undefined, with the exit code set, when it is not there or another one. */
function frozenSet(corpus: string, half: string | undefined): QuestionSet | undefined {
  if (!existsSync(corpus)) {
    say(
      `There is no corpus at ${corpus}. It is not part of the repository; name its folder with --corpus PATH.`,
    );
    process.exitCode = 2;
    return undefined;
  }
  const questions = readQuestions().filter((question) => half === undefined || halfOf(question) === half);
  const changed = questions.filter(({ answers }) =>
    answers.some((answer) => passageHash(passageText(corpus, answer)) !== answer.sha256),
  );
  if (changed.length > 0) {
    say(
      `The corpus is not the one the questions were written from: ${changed.map(({ id }) => id).join(', ')}`,
    );
    process.exitCode = 1;
    return undefined;
  }
  return { documents: readCorpus(corpus), questions };
}

/** The questions that the options name, with the documents they are asked of. */
function chosenSet(): QuestionSet | undefined {
  const { corpus, half, set, questions } = values;
  if (questions !== undefined) {
    const documents = readFolder(corpus);
    return { documents, questions: readMarkedQuestions(questions, corpus, documents) };
  }
  if (set === 'docs') return { documents: readOwnDocs(), questions: readOwnQuestions() };
  return frozenSet(corpus, half);
}

async function main(): Promise<void> {
  const { only, misses } = values;
  const given = chosenSet();
  if (given === undefined) return;
  const { documents, questions } = given;
  const passages = flatten(documents);
  say(`${documents.length} documents, ${passages.length} passages, ${questions.length} questions`);
  const makers: (() => Contestant)[] = [
    engine,
    trigram,
    bigramBm25,
    () => miniSearch(false),
    () => miniSearch(true),
    () => orama(false),
    () => orama(true),
  ];
  const rows: Row[] = [];
  const speed: { contestant: string; loadMs: number; p50Ms: number; p99Ms: number }[] = [];
  for (const make of makers) {
    const contestant = make();
    if (only !== undefined && contestant.name !== only) continue;
    const start = performance.now();
    await contestant.load(documents);
    const loadMs = Math.round(performance.now() - start);
    const outcomes = await ask(contestant, questions, passages);
    contestant.close?.();
    rows.push(...rowsOf(contestant.name, outcomes));
    const times = outcomes.map(({ ms }) => ms).sort((a, b) => a - b);
    const [p50Ms, p99Ms] = [percentile(times, 0.5), percentile(times, 0.99)].map((one) =>
      Number(one.toFixed(2)),
    );
    speed.push({ contestant: contestant.name, loadMs, p50Ms: p50Ms ?? 0, p99Ms: p99Ms ?? 0 });
    if (!misses) continue;
    for (const { question, relevant } of outcomes) {
      if (relevant.slice(0, 5).includes(true)) continue;
      say(
        `  missed by ${contestant.name}: ${question.id} ${question.question} (place ${relevant.indexOf(true) + 1})`,
      );
    }
  }
  print(rows);
  say('');
  for (const { contestant, loadMs, p50Ms, p99Ms } of speed) {
    say(`${contestant.padEnd(16)} load ${loadMs} ms, query p50 ${p50Ms} ms, p99 ${p99Ms} ms`);
  }
  process.stdout.write(
    `${JSON.stringify({ benchmark: 'retrieval', documents: documents.length, passages: passages.length, rows, speed })}\n`,
  );
}

await main();
