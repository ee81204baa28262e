import type { KnowledgeEntry, KnowledgeHit, KnowledgePutResult } from '../../protocol/knowledge.ts';
import type { Catalog } from '../text/catalog.ts';
import { manyLines, oneLine } from '../text/printable.ts';
import { renderTable } from '../text/table.ts';
import { timeText } from '../text/times.ts';

const shownSimilar = 5;

function similarLines({ similar }: Pick<KnowledgePutResult, 'similar'>, text: Catalog): string {
  return similar
    .slice(0, shownSimilar)
    .map(({ id, similarity }) => `${text.knowledge.similar(oneLine(id), Math.round(similarity * 100))}\n`)
    .join('');
}

/** What became of an entry that was handed in. */
export function putText(result: KnowledgePutResult, text: Catalog): string {
  const { id, outcome, version } = result;
  return `${text.knowledge.outcomes[outcome](oneLine(id), version)}\n${similarLines(result, text)}`;
}

/** An entry with all that is known of it. */
export function entryText(entry: KnowledgeEntry, text: Catalog): string {
  const { links, state, supersededBy, supersedes, expiresAt, confidence } = entry;
  const { fields, derived, states } = text.knowledge;
  const rows: [string, string][] = [
    [fields.id, entry.id],
    [fields.kind, `${text.knowledge.kinds[entry.kind]}${entry.derived ? ` (${derived})` : ''}`],
    [fields.state, states[state]],
    [fields.version, `${entry.version}  ${timeText(entry.updatedAt)}  ${entry.by}`],
    [fields.source, entry.source],
    [fields.confidence, confidence === null ? '' : String(confidence)],
    [fields.tags, entry.tags.join(', ')],
    [fields.directives, links.directives.join(', ')],
    [fields.tasks, links.tasks.join(', ')],
    [fields.incidents, links.incidents.join(', ')],
    [fields.expires, expiresAt === null ? '' : timeText(expiresAt)],
    [fields.supersededBy, supersededBy ?? ''],
    [fields.supersedes, supersedes.join(', ')],
  ];
  const shown = rows.filter(([, value]) => value !== '').map(([name, value]) => [name, oneLine(value)]);
  const body = manyLines(entry.body).trimEnd();
  return `${oneLine(entry.title)}\n\n${renderTable(shown)}${similarLines(entry, text)}\n${body === '' ? '' : `${body}\n`}`;
}

/** A passage without the heading at its top that only says the title again; the whole where it says nothing else. */
function belowTitle(passage: string, title: string): string {
  const [first = '', ...rest] = passage.trim().split('\n');
  const body = rest.join('\n').trim();
  return body !== '' && first.replace(/^#+\s*/u, '').trim() === title.trim() ? body : passage.trim();
}

/** What was found, the best first, each with its best passage. */
export function hitsText(hits: readonly KnowledgeHit[], text: Catalog): string {
  if (hits.length === 0) return `${text.knowledge.nothing}\n`;
  return hits
    .map(({ id, title, kind, state, snippet, startLine }) => {
      const about = [
        text.knowledge.kinds[kind],
        ...(state === 'current' ? [] : [text.knowledge.states[state]]),
      ];
      const lines = belowTitle(manyLines(snippet), title).split('\n');
      const passage = lines.map((line) => `  ${line}\n`).join('');
      return `${oneLine(title)}  (${about.join(', ')})\n${oneLine(id)}:${startLine}\n${passage}`;
    })
    .join('\n');
}

/** Entries as a table. */
export function listText(
  { entries, total }: { entries: readonly KnowledgeEntry[]; total: number },
  text: Catalog,
): string {
  if (entries.length === 0) return `${text.knowledge.none}\n`;
  const rows = entries.map(({ id, kind, state, version, updatedAt, title }) => [
    ...[oneLine(id), text.knowledge.kinds[kind], text.knowledge.states[state], String(version)],
    ...[timeText(updatedAt), oneLine(title)],
  ]);
  const rest = total - entries.length;
  return `${renderTable([text.knowledge.listHead, ...rows])}${rest > 0 ? `${text.knowledge.more(rest)}\n` : ''}`;
}
