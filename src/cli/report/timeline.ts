import type { TaskRecord } from '../../protocol/directive.ts';
import { oneLine } from '../text/printable.ts';
import { spanText } from '../text/times.ts';

const width = 900;
const left = 220;
const rowHeight = 18;
const top = 24;
const shownTasks = 200;
const ticks = 6;

const colors: Readonly<Record<string, string>> = {
  succeeded: '#2f9e44',
  failed: '#e03131',
  timed_out: '#e8590c',
  cancelled: '#868e96',
  lost: '#f08c00',
  refused: '#c2255c',
  running: '#1c7ed6',
};

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Makes a text safe within HTML and SVG, attributes included. */
export function escapeMarkup(text: string): string {
  return oneLine(text).replaceAll(/[&<>"']/g, (character) => escapes[character] ?? character);
}

interface Bar {
  readonly from: number;
  readonly to: number;
  readonly color: string;
  readonly title: string;
}

function barsOf(task: TaskRecord, now: number): Bar[] {
  const ended = task.history.flatMap(({ attempt, outcome, startedAt, finishedAt }) =>
    startedAt === null || finishedAt === null
      ? []
      : [
          {
            from: startedAt,
            to: finishedAt,
            color: colors[outcome ?? 'running'] ?? '#868e96',
            title: `${task.id} #${attempt} ${outcome} ${spanText(finishedAt - startedAt)}`,
          },
        ],
  );
  if (task.state !== 'running' || task.startedAt === null) return ended;
  const span = spanText(now - task.startedAt);
  const title = `${task.id} #${task.attempts} running ${span}`;
  return [...ended, { from: task.startedAt, to: now, color: colors.running as string, title }];
}

/** Draws when each attempt ran, as SVG: one row a task, the first 200 that ran. */
export function timelineOf(tasks: readonly TaskRecord[], from: number, to: number): string {
  const ran = tasks
    .map((task) => ({ task, bars: barsOf(task, to) }))
    .filter(({ bars }) => bars.length > 0)
    .sort((a, b) => (a.bars[0]?.from ?? 0) - (b.bars[0]?.from ?? 0));
  const rows = ran.slice(0, shownTasks);
  const span = Math.max(1, to - from);
  const scale = (at: number) =>
    left + ((Math.min(to, Math.max(from, at)) - from) / span) * (width - left - 10);
  const height = top + rows.length * rowHeight + 10;
  const grid = Array.from({ length: ticks + 1 }, (_, tick) => {
    const at = scale(from + (span * tick) / ticks).toFixed(1);
    const label = spanText((span * tick) / ticks);
    return `<line x1="${at}" y1="${top - 6}" x2="${at}" y2="${height - 8}" stroke="#dee2e6"/><text x="${at}" y="12" font-size="10" text-anchor="middle" fill="#495057">${label}</text>`;
  });
  const drawn = rows.map(({ task, bars }, row) => {
    const y = top + row * rowHeight;
    const name = task.id.length > 30 ? `${task.id.slice(0, 29)}…` : task.id;
    const rects = bars.map(({ from: begin, to: end, color, title }) => {
      const x = scale(begin);
      const long = Math.max(2, scale(end) - x).toFixed(1);
      return `<rect x="${x.toFixed(1)}" y="${y + 2}" width="${long}" height="${rowHeight - 5}" rx="2" fill="${color}"><title>${escapeMarkup(title)}</title></rect>`;
    });
    return `<text x="${left - 8}" y="${y + 12}" font-size="11" text-anchor="end" fill="#212529">${escapeMarkup(name)}</text>${rects.join('')}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img" font-family="sans-serif">${grid.join('')}${drawn.join('')}</svg>`;
}
