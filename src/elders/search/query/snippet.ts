import { columns } from '../chunks/chunk.ts';
import { normalizeWithMap } from '../language/normalize.ts';
import { densest, type Hit, type Span } from './closeness.ts';
import { eachPlaceOf, type Searchable, searchable } from './occurrences.ts';
import type { Unit } from './unit.ts';

/** A part of a passage as it is written, with the places of what was asked. */
export interface Snippet {
  readonly text: string;
  /** Where it stands in the document. */
  readonly startLine: number;
  readonly endLine: number;
  /** Offsets in `text`, in order and apart from each other. */
  readonly highlights: readonly Span[];
}

/** About how long a snippet is (columns). */
const snippetColumns = 320;
const mostHighlights = 50;

function joined(spans: readonly Span[]): Span[] {
  const found: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    const last = found.at(-1);
    if (last !== undefined && span.start <= last.end) {
      found[found.length - 1] = { start: last.start, end: Math.max(last.end, span.end) };
    } else {
      found.push(span);
    }
  }
  return found;
}

/** Where a text begins below the headings at its top, which stand beside every result; its end when it has nothing else. */
function bodyStart(text: string): number {
  return /^(?: {0,3}#{1,6}[ \t][^\n]*\n|[ \t]*\n)+(?=[^\n])/u.exec(text)?.[0].length ?? 0;
}

/** Whole lines around a stretch, as many as fit, none above `first`; a longer line is cut. */
function around(text: string, best: Span, first: number): Span {
  let start = text.lastIndexOf('\n', Math.max(0, best.start - 1)) + 1;
  let end = text.indexOf('\n', best.end);
  if (end === -1) end = text.length;
  while (columns(text.slice(start, end)) < snippetColumns && (start > first || end < text.length)) {
    const next = text.indexOf('\n', end + 1);
    const after = next === -1 ? text.length : next;
    if (end < text.length && columns(text.slice(start, after)) <= snippetColumns * 1.2) {
      end = after;
      continue;
    }
    const before = start > 1 ? text.lastIndexOf('\n', start - 2) + 1 : 0;
    if (start <= first || columns(text.slice(before, end)) > snippetColumns * 1.2) break;
    start = before;
  }
  if (columns(text.slice(start, end)) > snippetColumns * 2) {
    start = Math.max(start, best.start - snippetColumns / 4);
    end = Math.min(end, Math.max(best.end, start + snippetColumns));
  }
  return { start, end };
}

/** The best stretch below the headings, about as long as the one above; undefined when nothing asked for stands there. */
function bestBelow(
  first: number,
  ready: Searchable,
  above: Span,
  units: readonly Unit[],
  matched: ReadonlySet<string>,
): Span | undefined {
  const hits: Hit[] = [];
  units.forEach((unit, index) => {
    if (unit.weight < 0.3) return;
    for (const form of unit.forms) {
      if (!matched.has(form.text)) continue;
      eachPlaceOf(form, ready, mostHighlights, (start, end) => {
        if (start >= first) hits.push({ unit: index, start, end });
      });
    }
  });
  const { span, share } = densest(
    hits,
    units.map(({ weight }) => weight),
    Math.max(snippetColumns / 2, above.end - above.start),
  );
  return share > 0 ? span : undefined;
}

/** Cuts the best stretch out of a passage and marks the words that were met. */
export function snippetOf(
  text: string,
  startLine: number,
  best: Span,
  units: readonly Unit[],
  matched: ReadonlySet<string>,
): Snippet {
  const mapped = normalizeWithMap(text);
  const ready = searchable(mapped.text);
  const first = bodyStart(mapped.text);
  const below = best.start >= first ? best : bestBelow(first, ready, best, units, matched);
  const place = below ?? best;
  const range = around(
    text,
    { start: mapped.original(place.start), end: mapped.original(place.end) },
    below === undefined ? 0 : mapped.original(first),
  );
  const spans: Span[] = [];
  const mark = (from: number, to: number) => {
    const start = mapped.original(from);
    const end = mapped.original(to);
    if (start >= range.start && end <= range.end)
      spans.push({ start: start - range.start, end: end - range.start });
  };
  for (const unit of units) {
    if (unit.weight < 0.3) continue;
    for (const form of unit.forms) if (matched.has(form.text)) eachPlaceOf(form, ready, mostHighlights, mark);
  }
  const before = text.slice(0, range.start);
  const shown = text.slice(range.start, range.end);
  const firstLine = startLine + (before.match(/\n/gu)?.length ?? 0);
  const endLine = firstLine + (shown.trimEnd().match(/\n/gu)?.length ?? 0);
  return { text: shown, startLine: firstLine, endLine, highlights: joined(spans) };
}
