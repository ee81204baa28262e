/** First line of every file that is made. */
export const madeFromCode = '<!-- Made from the code by `npm run docs`; changes here are lost. -->\n\n';

/** Writes a Markdown table; line breaks and bars in cells are escaped. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replace(/\|/g, '\\|').replace(/\n/g, ' ')).join(' | ')} |\n`;
  return `${line(head)}${line(head.map(() => '---'))}${rows.map(line).join('')}`;
}

/** Sets a word in code type; the empty string stays empty. */
export function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}
