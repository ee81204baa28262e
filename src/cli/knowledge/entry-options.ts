import { parseDuration } from '../../protocol/duration.ts';
import { ElderError } from '../../protocol/errors.ts';
import type { KnowledgeContent, KnowledgeKind } from '../../protocol/knowledge.ts';
import type { CommandInput } from '../command-spec.ts';

/** Divides a list with commas between, Japanese ones too. */
export function listOf(text: string | undefined): string[] | undefined {
  return text === undefined
    ? undefined
    : text
        .split(/[,、，]/u)
        .map((word) => word.trim())
        .filter((word) => word !== '');
}

function confidenceOf(text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  if (text === 'none') return null;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= 0 && value <= 1) return value;
  throw new ElderError('usage', `--confidence: expected a number from 0 to 1, or none; got "${text}"`);
}

function expiryOf(text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  if (text === 'never') return null;
  if (text === 'now') return Date.now();
  const span = parseDuration(text);
  const ms = span === undefined ? Date.parse(text) : Date.now() + span;
  if (Number.isFinite(ms)) return ms;
  throw new ElderError(
    'usage',
    `--expires: expected now, never, a duration such as 720h, or a date; got "${text}"`,
  );
}

/** A Markdown file ends with a newline, and an entry becomes one; so no editor changes it by itself. */
function wholeLines(text: string | undefined): string | undefined {
  return text === undefined || text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/** What the options of `knowledge add` and `knowledge edit` change of an entry. Throws `usage`. */
export function changesOf(
  input: CommandInput,
  present: KnowledgeContent['links'],
): Partial<KnowledgeContent> {
  const links = {
    directives: listOf(input.text('directives')) ?? present.directives,
    tasks: listOf(input.text('tasks')) ?? present.tasks,
    incidents: listOf(input.text('incidents')) ?? present.incidents,
  };
  const successor = input.text('superseded-by');
  const changes = {
    title: input.text('title'),
    body: wholeLines(input.text('body')),
    kind: input.text('kind') as KnowledgeKind | undefined,
    tags: listOf(input.text('tags')),
    source: input.text('source'),
    confidence: confidenceOf(input.text('confidence')),
    expiresAt: expiryOf(input.text('expires')),
    supersededBy: successor === 'none' ? null : successor,
    links: JSON.stringify(links) === JSON.stringify(present) ? undefined : links,
  };
  return Object.fromEntries(
    Object.entries(changes).filter(([, value]) => value !== undefined),
  ) as Partial<KnowledgeContent>;
}
