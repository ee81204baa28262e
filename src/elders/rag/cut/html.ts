import { Parser } from 'htmlparser2';

const silent = new Set(['script', 'style', 'noscript', 'template', 'svg', 'head']);
const cells = new Set(['td', 'th', 'br', 'img']);

/** The text of a page as Markdown with its headings; each piece stays in the line where it stands in the file. */
export function htmlToText(html: string): { text: string; title: string | undefined } {
  const lines = Array.from({ length: html.split('\n').length }, () => '');
  let line = 0;
  let seen = 0;
  /** Counts lines up to an offset; offsets only grow. */
  const lineAt = (offset: number): number => {
    for (let at = html.indexOf('\n', seen); at !== -1 && at < offset; at = html.indexOf('\n', seen)) {
      line += 1;
      seen = at + 1;
    }
    return line;
  };
  let muted = 0;
  let inTitle = false;
  let title = '';
  const parser: Parser = new Parser(
    {
      onopentag(name) {
        if (name === 'title') inTitle = true;
        if (silent.has(name)) muted += 1;
        const at = lineAt(parser.startIndex);
        if (/^h[1-6]$/u.test(name) && muted === 0 && lines[at]?.trim() === '')
          lines[at] = `${'#'.repeat(Number(name[1]))} `;
        else if (name === 'li' && lines[at]?.trim() === '') lines[at] = '- ';
        else if (cells.has(name)) lines[at] += ' ';
      },
      onclosetag(name) {
        if (name === 'title') inTitle = false;
        if (silent.has(name)) muted = Math.max(0, muted - 1);
      },
      ontext(text) {
        if (inTitle) title += text;
        if (muted > 0) return;
        let at = lineAt(parser.startIndex);
        for (const part of text.split('\n')) {
          const clean = part.replaceAll(/\s+/gu, ' ');
          // A space alone stands between two words, or at the beginning of a line, where it says nothing.
          if (at < lines.length && (clean.trim() !== '' || lines[at] !== '')) lines[at] += clean;
          at += 1;
        }
      },
    },
    { decodeEntities: true, lowerCaseTags: true },
  );
  parser.end(html);
  return { text: lines.map((each) => each.trimEnd()).join('\n'), title: title.trim() || undefined };
}
