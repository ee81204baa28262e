import type { RagContext, RagHit } from '../../../protocol/rag.ts';

/** About how many tokens a text is: models count differently, so this is rather too many than too few. */
export function estimateTokens(text: string): number {
  let narrow = 0;
  let wide = 0;
  for (const character of text) {
    if ((character.codePointAt(0) ?? 0) < 0x2e80) narrow += 1;
    else wide += 1;
  }
  return Math.ceil(narrow / 3.5 + wide * 1.1);
}

interface Part {
  readonly hit: RagHit;
  readonly rank: number;
  startLine: number;
  endLine: number;
  lines: string[];
}

function plain(text: string): string {
  return text.replaceAll(/\s+/gu, ' ').trim().toLowerCase();
}

/** Joins a passage to one of the same file that it overlaps or follows; false when there is none. */
function joined(parts: readonly Part[], { path, startLine, endLine, text }: RagHit): boolean {
  const near = parts.find(
    (part) => part.hit.path === path && startLine <= part.endLine + 2 && endLine >= part.startLine - 2,
  );
  if (near === undefined) return false;
  const lines = text.split('\n');
  // Several passages of one long line, and pages with several rows in a line, cannot be put together by lines.
  const isByLines =
    lines.length === endLine - startLine + 1 && near.lines.length === near.endLine - near.startLine + 1;
  const isInside = startLine >= near.startLine && endLine <= near.endLine;
  if (isInside && (!isByLines || startLine === endLine)) return near.lines.join('\n').includes(text);
  if (!isByLines) return false;
  if (isInside) return true;
  if (startLine > near.startLine) {
    const gap = Array.from({ length: Math.max(0, startLine - near.endLine - 1) }, () => '');
    near.lines = [...near.lines, ...gap, ...lines.slice(Math.max(0, near.endLine - startLine + 1))];
    near.endLine = Math.max(near.endLine, endLine);
  } else {
    const gap = Array.from({ length: Math.max(0, near.startLine - endLine - 1) }, () => '');
    near.lines = [...lines, ...gap, ...near.lines.slice(Math.max(0, endLine - near.startLine + 1))];
    near.startLine = startLine;
    near.endLine = Math.max(near.endLine, endLine);
  }
  return true;
}

function show(part: Part, number: number): string {
  const { hit, startLine, endLine, lines } = part;
  const commit =
    hit.commit === null ? '' : ` @${hit.commit.slice(0, 12)}${hit.modified ? ' (modified)' : ''}`;
  const below = hit.headings.length === 0 ? '' : ` · ${hit.headings.join(' › ')}`;
  return `[${number}] ${hit.relativePath}:${startLine}-${endLine}${commit}${below}\n${lines.join('\n')}\n`;
}

/** Puts passages together, best first, until the budget is used; the same text is there once, neighbours are joined. */
export function assembleContext(
  hits: readonly RagHit[],
  budget: number,
): Pick<RagContext, 'context' | 'tokens' | 'citations'> {
  let parts: Part[] = [];
  const seen = new Set<string>();
  for (const [rank, hit] of hits.entries()) {
    const text = plain(hit.text);
    if (seen.has(text)) continue;
    const next = parts.map((part) => ({ ...part, lines: [...part.lines] }));
    if (!joined(next, hit)) {
      const { startLine, endLine } = hit;
      next.push({ hit, rank, startLine, endLine, lines: hit.text.split('\n') });
    }
    if (tokensOf(next) > budget) {
      // A small one may still fit; of the best at least the beginning is given.
      if (parts.length === 0) parts = [beginning(next[0]!, budget)].filter(({ lines }) => lines.length > 0);
      continue;
    }
    seen.add(text);
    parts = next;
  }
  const context = parts.map((part, at) => show(part, at + 1)).join('\n');
  return {
    context,
    tokens: estimateTokens(context),
    citations: parts.map(({ hit: { path, commit, modified, blob }, startLine, endLine }, at) => ({
      ...{ number: at + 1, path, startLine, endLine, commit, modified, blob },
    })),
  };
}

function tokensOf(parts: readonly Part[]): number {
  return estimateTokens(parts.map((part, at) => show(part, at + 1)).join('\n'));
}

/** As many lines as fit, or of the first one as much as fits; none where even its place takes too much. */
function beginning(part: Part, budget: number): Part {
  const lines = [...part.lines];
  for (; lines.length > 0; lines.pop()) {
    const endLine = Math.min(part.endLine, part.startLine + lines.length - 1);
    const shorter = { ...part, lines, endLine };
    if (tokensOf([shorter]) <= budget) return shorter;
  }
  for (let [text = ''] = part.lines; text !== ''; ) {
    text = text.slice(0, Math.floor(text.length * 0.8)).toWellFormed();
    const shorter = { ...part, lines: [text], endLine: part.startLine };
    if (text !== '' && tokensOf([shorter]) <= budget) return shorter;
  }
  return { ...part, lines: [] };
}
