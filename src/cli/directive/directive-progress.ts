import type { DirectiveView, TaskRecord } from '../../protocol/directive.ts';
import { progressText } from '../task/task-text.ts';
import type { Catalog } from '../text/catalog.ts';
import { cutDisplay } from '../text/display-width.ts';
import { oneLine } from '../text/printable.ts';
import { clockText, spanText } from '../text/times.ts';
import { countStates, countsText } from './directive-text.ts';

/** Where progress is shown. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** Shows a directive as it goes on. */
export interface Progress {
  update(view: DirectiveView): void;
  /** Shows something of one line above the rest. */
  note(line: string): void;
  /** Takes away what is only of interest while it runs. */
  stop(): void;
}

const redrawMs = 100;

const marks: Readonly<Record<TaskRecord['state'], string>> = {
  waiting: '.',
  ready: '.',
  running: '>',
  succeeded: '+',
  failed: 'x',
  cancelled: '-',
  skipped: '-',
};

function taskLine(task: TaskRecord, now: number): string {
  const span = task.startedAt === null ? '' : ` ${spanText((task.finishedAt ?? now) - task.startedAt)}`;
  const attempt = task.attempts > 1 ? ` #${task.attempts}` : '';
  const where = task.state === 'running' && task.servant ? ` ${task.servant}` : '';
  const far = task.state === 'running' && task.progress ? ` · ${progressText(task.progress)}` : '';
  return `${marks[task.state]} ${task.id} ${task.state}${attempt}${where}${span}${far}`;
}

/** One line per change, for a log or a pipe. */
class LineProgress implements Progress {
  readonly #screen: Screen;
  readonly #seen = new Map<string, string>();
  #state = '';

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  update(view: DirectiveView): void {
    const now = Date.now();
    if (view.state !== this.#state) this.note(`${view.id} ${view.state}`);
    this.#state = view.state;
    for (const task of view.tasks) {
      const far = task.state === 'running' && task.progress ? progressText(task.progress) : '';
      const key = `${task.state} ${task.attempts} ${task.servant} ${far}`;
      const before = this.#seen.get(task.id);
      this.#seen.set(task.id, key);
      const begun = task.state !== 'waiting' && task.state !== 'ready';
      if (before === key || (before === undefined && !begun)) continue;
      this.note(`  ${taskLine(task, now)}`);
    }
  }

  note(line: string): void {
    this.#screen.write(`${clockText(Date.now())} ${line}\n`);
  }

  stop(): void {}
}

/** A block of lines at the bottom of a terminal that is drawn anew, at most ten times a second. */
class LiveProgress implements Progress {
  readonly #screen: Screen;
  readonly #text: Catalog;
  #view: DirectiveView | undefined;
  #timer: NodeJS.Timeout | undefined;
  #drawn = 0;
  #last = 0;

  constructor(screen: Screen, text: Catalog) {
    this.#screen = screen;
    this.#text = text;
  }

  update(view: DirectiveView): void {
    this.#view = view;
    const wait = this.#last + redrawMs - performance.now();
    if (wait <= 0) this.#draw();
    else this.#timer ??= setTimeout(() => this.#draw(), wait);
  }

  note(line: string): void {
    this.#erase();
    this.#screen.write(`${line}\n`);
    this.#draw();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#erase();
    this.#view = undefined;
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#view === undefined) return;
    this.#last = performance.now();
    this.#erase();
    const lines = this.#lines(this.#view);
    this.#drawn = lines.length;
    this.#screen.write(lines.map((line) => `${line}\n`).join(''));
  }

  #erase(): void {
    if (this.#drawn > 0) this.#screen.write(`\x1b[${this.#drawn}A\x1b[0J`);
    this.#drawn = 0;
  }

  #rest({ forecast }: DirectiveView, now: number): string {
    if (forecast === null) return '';
    const [p50, p90] = [forecast.p50, forecast.p90].map((at) => spanText(Math.max(0, at - now)));
    return ` · ${this.#text.directive.forecast(p50 as string, p90 as string)}`;
  }

  #lines(view: DirectiveView): string[] {
    const { columns = 80, rows = 24 } = this.#screen;
    const now = Date.now();
    const room = Math.max(1, rows - 4);
    // Where not all fit: what runs and what failed is of most interest.
    const weight = ({ state }: TaskRecord) => (state === 'running' ? 0 : state === 'failed' ? 1 : 2);
    const all = view.tasks.length <= room;
    const tasks = all ? view.tasks : view.tasks.toSorted((a, b) => weight(a) - weight(b)).slice(0, room - 1);
    const more = all ? [] : [this.#text.directive.more(view.tasks.length - tasks.length)];
    const head = `${view.id} ${oneLine(view.title)}: ${view.state} · ${countsText(countStates(view.tasks))} · ${spanText(now - view.submittedAt)}${this.#rest(view, now)}`;
    const lines = [head, ...tasks.map((task) => `  ${taskLine(task, now)}`), ...more];
    return lines.map((line) => cutDisplay(line, Math.max(10, columns - 1)));
  }
}

/** Shows progress in the way that fits: a live view on a terminal, otherwise one line per change. */
export function createProgress(screen: Screen, text: Catalog): Progress {
  return screen.isTTY ? new LiveProgress(screen, text) : new LineProgress(screen);
}
