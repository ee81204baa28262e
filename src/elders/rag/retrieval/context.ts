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
  if (startLine >= near.startLine && endLine <= near.endLine) return true;
  const lines = text.split('\n');
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
  const commit = hit.commit === null ? '' : ` @${hit.commit.slice(0, 12)}`;
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
    citations: parts.map(({ hit: { path, commit, blob }, startLine, endLine }, at) => ({
      ...{ number: at + 1, path, startLine, endLine, commit, blob },
    })),
  };
}

function tokensOf(parts: readonly Part[]): number {
  return estimateTokens(parts.map((part, at) => show(part, at + 1)).join('\n'));
}

function beginning(part: Part, budget: number): Part {
  const lines = [...part.lines];
  while (lines.length > 0) {
    const shorter = { ...part, lines, endLine: part.startLine + lines.length - 1 };
    if (tokensOf([shorter]) <= budget) return shorter;
    lines.pop();
  }
  return { ...part, lines: [] };
}
