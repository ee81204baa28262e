import { styleText } from 'node:util';

type Color = 'green' | 'yellow' | 'red' | 'cyan' | 'gray';

const colors: Readonly<Record<string, Color>> = {
  ready: 'green',
  succeeded: 'green',
  completed: 'green',
  ok: 'green',
  acted: 'green',
  starting: 'yellow',
  waiting_approval: 'yellow',
  unready: 'yellow',
  backoff: 'yellow',
  draining: 'yellow',
  stopping: 'yellow',
  degraded: 'yellow',
  warn: 'yellow',
  running: 'cyan',
  executing: 'cyan',
  failed: 'red',
  fail: 'red',
  rejected: 'red',
  dead: 'red',
  error: 'red',
  stopped: 'gray',
  skipped: 'gray',
  cancelled: 'gray',
};

/** Colours a word by the state it names, where the stream is a terminal and colours are wanted (NO_COLOR). */
export function paintState(
  state: string,
  text: string = state,
  stream: NodeJS.WritableStream = process.stdout,
): string {
  const color = colors[state];
  return color === undefined ? text : styleText(color, text, { stream });
}
