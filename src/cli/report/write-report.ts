import type { Catalog } from '../text/catalog.ts';
import type { Locale } from '../text/locale.ts';
import { timeText } from '../text/times.ts';
import type { Report } from './collect-report.ts';
import { type Section, sectionsOf } from './report-sections.ts';
import { escapeMarkup, timelineOf } from './timeline.ts';

/** Characters that mean something in Markdown are taken literally. */
const literal = (text: string) => text.replaceAll(/[\\`*_{}[\]<>|#~]/g, (character) => `\\${character}`);

/** A fence longer than any run of backticks in what it holds. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text}\n${fence}\n`;
}

function timelineText(section: Section, report: Report): string {
  const { view, writtenAt } = report;
  return section.kind === 'timeline'
    ? timelineOf(view.tasks, view.submittedAt, view.finishedAt ?? writtenAt)
    : '';
}

function markdownOf(section: Section, index: number, report: Report): string {
  const title = `${index === 0 ? '#' : '##'} ${literal(section.title)}\n\n`;
  const row = (cells: readonly string[]) => `| ${cells.map(literal).join(' | ')} |\n`;
  switch (section.kind) {
    case 'facts':
      return `${title}${section.rows.map(([name, value]) => `- ${literal(name)}: ${literal(value)}\n`).join('')}`;
    case 'timeline':
      return `${title}<img alt="timeline" src="data:image/svg+xml;base64,${Buffer.from(timelineText(section, report)).toString('base64')}">\n`;
    case 'table':
      return `${title}${row(section.head)}|${' --- |'.repeat(section.head.length)}\n${section.rows.map(row).join('')}`;
    case 'text':
      return `${title}${fenced(section.text)}`;
  }
}

function htmlOf(section: Section, index: number, report: Report): string {
  const title = `<h${index === 0 ? 1 : 2}>${escapeMarkup(section.title)}</h${index === 0 ? 1 : 2}>`;
  const row = (cells: readonly string[], tag: 'td' | 'th') =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeMarkup(cell)}</${tag}>`).join('')}</tr>`;
  switch (section.kind) {
    case 'facts':
      return `${title}<table>${section.rows.map((cells) => row(cells, 'td')).join('')}</table>`;
    case 'timeline':
      return `${title}${timelineText(section, report)}`;
    case 'table':
      return `${title}<table>${row(section.head, 'th')}${section.rows.map((cells) => row(cells, 'td')).join('')}</table>`;
    case 'text':
      return `${title}<pre>${section.text.split('\n').map(escapeMarkup).join('\n')}</pre>`;
  }
}

const style =
  'body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#212529}table{border-collapse:collapse;margin:1rem 0;font-size:13px}td,th{border:1px solid #dee2e6;padding:.25rem .5rem;text-align:left;vertical-align:top}pre{background:#f8f9fa;border:1px solid #dee2e6;padding:.75rem;overflow:auto}svg{max-width:100%;height:auto}';

/** Writes a report as Markdown. */
export function markdownReport(report: Report, text: Catalog): string {
  const parts = sectionsOf(report, text).map((section, index) => markdownOf(section, index, report));
  return `${parts.join('\n')}\n${text.report.written(timeText(report.writtenAt))}\n`;
}

/** Writes a report as one HTML page that loads nothing and runs nothing. */
export function htmlReport(report: Report, text: Catalog, locale: Locale): string {
  const parts = sectionsOf(report, text).map((section, index) => htmlOf(section, index, report));
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  return `<!doctype html>\n<html lang="${locale}"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><meta name="viewport" content="width=device-width"><title>${escapeMarkup(report.view.title)}</title><style>${style}</style></head><body>\n${parts.join('\n')}\n<p>${escapeMarkup(text.report.written(timeText(report.writtenAt)))}</p></body></html>\n`;
}
