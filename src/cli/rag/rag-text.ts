import { relative } from 'node:path';
import type { RagAnswer, RagSource, RagVectors } from '../../protocol/rag.ts';
import type { Session } from '../session.ts';
import { manyLines, oneLine } from '../text/printable.ts';
import { renderTable } from '../text/table.ts';

type Shown = Pick<Session, 'cwd' | 'text'>;

/** A path as it is shortest to type from here. */
function shortPath(path: string, cwd: string): string {
  const below = relative(cwd, path);
  return oneLine(below === '' || below.startsWith('..') ? path : below);
}

/** How an answer was found. */
function methodText({ method, reason }: Pick<RagAnswer, 'method' | 'reason'>, { text }: Shown): string {
  const how = text.rag.methods[method];
  return reason === null ? how : `${how}; ${text.rag.without(oneLine(reason))}`;
}

/** Passages with path and lines, as people read them. */
export function ragAnswerText(answer: RagAnswer, session: Shown): string {
  const { text, cwd } = session;
  const indexing = answer.indexing ? `${text.rag.indexing}\n` : '';
  if (answer.results.length === 0) {
    const why = answer.reason === null ? '' : `${methodText(answer, session)}\n`;
    return `${text.rag.nothing}\n${why}${indexing}`;
  }
  const found = answer.results.map(({ path, startLine, endLine, headings, snippet, commit, modified }) => {
    const place = `${shortPath(path, cwd)}:${startLine}-${endLine}`;
    const below = headings.length === 0 ? '' : `  ${oneLine(headings.join(' › '))}`;
    const at = commit === null ? '' : `  @${commit.slice(0, 12)}${modified ? ` ${text.rag.modified}` : ''}`;
    const lines = manyLines(snippet).trimEnd().split('\n');
    return `${place}${at}${below}\n${lines.map((line) => `  ${line}\n`).join('')}`;
  });
  return `${found.join('\n')}\n${methodText(answer, session)}\n${indexing}`;
}

function vectorsText(vectors: RagVectors, text: Shown['text']): string {
  const counts = text.rag.vectors({ ...vectors, model: oneLine(vectors.model) });
  return vectors.reason === null ? counts : `${counts}; ${oneLine(vectors.reason)}`;
}

/** The folders that are indexed, and what is to be known of their files. */
export function ragStatusText(
  { sources, vectors }: { readonly sources: readonly RagSource[]; readonly vectors: RagVectors | null },
  { text, cwd }: Shown,
): string {
  if (sources.length === 0) return `${text.rag.noSources}\n`;
  const rows = sources.map(({ path, state, files, passages, skipped, watching, reason }) => {
    const leftOut = Object.entries(skipped).map(([why, count]) => `${why} ${count}`);
    const shown = reason === null ? path : `${path}: ${reason}`;
    const counts = [String(files), String(passages), leftOut.join(', ') || '-'];
    return [text.rag.states[state], ...counts, watching, oneLine(shown)];
  });
  const notes = sources
    .filter(({ problemCount }) => problemCount > 0)
    .map(({ problemCount, problems }) => {
      const lines = problems.map(({ path, kind, indexed, detail }) => {
        const out = indexed ? '' : `${text.rag.leftOut}: `;
        return `  ${shortPath(path, cwd)}: ${out}${oneLine(`${kind} ${detail}`)}\n`;
      });
      const more = problemCount > problems.length ? '  …\n' : '';
      return `\n${text.rag.problems(problemCount)}\n${lines.join('')}${more}`;
    });
  const meaning = vectors === null ? '' : `\n${vectorsText(vectors, text)}\n`;
  return `${renderTable([text.rag.head, ...rows])}${meaning}${notes.join('')}`;
}
