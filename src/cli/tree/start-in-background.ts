import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { ElderError, fromWireError } from '../../protocol/errors.ts';
import { type ManagerEvent, managerEvent } from '../../protocol/local-api.ts';
import { readJsonLines } from '../../supervision/elders/json-lines.ts';
import { ManagerClient } from '../connection/manager-client.ts';
import { programFile } from '../launch.ts';
import type { Session } from '../session.ts';
import { abortOnSignals } from '../signals.ts';
import { managerEventText } from './manager-event-text.ts';

const maxLine = 1_048_576;
const failure = z.object({
  error: z.object({ code: z.string(), reason: z.string(), detail: z.unknown().optional() }),
});

interface BackgroundOptions {
  /** Return once every elder is ready, not as soon as the manager holds its lock. */
  readonly wait: boolean;
  readonly flags: Readonly<Record<string, unknown>>;
}

function flagName(setting: string): string {
  return `--${setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function argumentsFor(session: Session, flags: BackgroundOptions['flags']): string[] {
  const given = Object.entries(flags).flatMap(([key, value]) =>
    value === undefined ? [] : [flagName(key), ...(value === true ? [] : [String(value)])],
  );
  const { folder, locale } = session;
  return [programFile, 'up', '--events-fd', '3', '--project', folder.project, '--lang', locale, ...given];
}

function spawnManager(session: Session, flags: BackgroundOptions['flags']) {
  const { folder } = session;
  mkdirSync(folder.log, { recursive: true, mode: 0o700 });
  const output = openSync(folder.rawOutput('manager'), 'a', 0o600);
  try {
    return spawn(process.execPath, argumentsFor(session, flags), {
      cwd: folder.project,
      detached: true,
      stdio: ['ignore', output, output, 'pipe'],
    });
  } finally {
    closeSync(output);
  }
}

function lastLines(file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-20).join('\n');
  } catch {
    return '';
  }
}

async function follow(events: Readable, session: Session, wait: boolean): Promise<ManagerEvent | undefined> {
  for await (const line of readJsonLines(events, maxLine)) {
    const failed = failure.safeParse(line);
    // An event of a failed process has an error too, but the manager goes on after it.
    if (failed.success && !managerEvent.safeParse(line).success) throw fromWireError(failed.data.error);
    const event = managerEvent.parse(line);
    if (wait) session.note(managerEventText(event, session.text));
    if (event.kind === 'failed' && event.name === null && event.error) throw fromWireError(event.error);
    // The manager holds its lock and has its ports once it starts or adopts anything.
    const up = event.kind === 'starting' || event.kind === 'adopted';
    if (event.kind === 'tree_ready' || (up && !wait)) return event;
  }
  return undefined;
}

/** Starts the manager in a process of its own. Throws what kept it from starting, when nothing of it is left. */
export async function startInBackground(session: Session, { wait, flags }: BackgroundOptions): Promise<void> {
  const signal = abortOnSignals();
  const child = spawnManager(session, flags);
  const exited = once(child, 'exit');
  exited.catch(() => undefined);
  if (child.pid === undefined) throw new ElderError('start_failed', `${process.execPath} cannot be started`);
  const events = child.stdio[3] as Readable;
  signal.addEventListener('abort', () => events.destroy(signal.reason), { once: true });
  let last: ManagerEvent | undefined;
  try {
    last = await follow(events, session, wait);
  } catch (error) {
    // It tells before it stops what it has started; whoever tries anew at once must not meet it.
    if (signal.aborted) session.note(session.text.up.goesOn);
    else await Promise.race([exited, once(signal, 'abort')]);
    throw error;
  }
  if (last === undefined) {
    await exited;
    const output = lastLines(session.folder.rawOutput('manager'));
    throw new ElderError('start_failed', `the manager ended before it was up\n${output}`);
  }
  events.destroy();
  child.unref();
  const { pid } = child;
  session.note(session.text.up.background(pid));
  const status = wait ? await new ManagerClient(session.folder, signal).status() : null;
  session.print(status ?? { manager: { pid } }, () => '');
}
