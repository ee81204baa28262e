import { existsSync } from 'node:fs';
import { ElderError } from '../../../protocol/errors.ts';
import { didYouMean } from '../../../protocol/nearest.ts';
import { aliases, fixedElders, isServant } from '../../../protocol/roster.ts';
import type { CommandInput } from '../../command-spec.ts';
import { findLogs, readLastLines } from '../../logs/log-files.ts';
import { followLogs } from '../../logs/log-follower.ts';
import { type LogLine, logLevels } from '../../logs/log-lines.ts';
import type { Session } from '../../session.ts';
import { padDisplay } from '../../text/display-width.ts';
import { oneLine } from '../../text/printable.ts';
import { clockText } from '../../text/times.ts';

const nameWidth = 14;
const defaultLines = 200;

function namesOf(input: CommandInput, folder: string): string[] {
  const present = findLogs(folder, []).map(({ name }) => name);
  const known = new Set([...fixedElders.map(({ name }) => name as string), 'manager', 'redis', ...present]);
  return input.arguments.map((given) => {
    const name = Object.hasOwn(aliases, given) ? (aliases[given] as string) : given;
    if (known.has(name) || isServant(name)) return name;
    throw new ElderError('usage', `there is no process "${given}"${didYouMean(given, known)}`);
  });
}

function lineText({ time, name, level, text, fields }: LogLine): string {
  const { level: _level, time: _time, name: _name, msg: _msg, ...rest } = fields ?? {};
  const more = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`;
  const who = padDisplay(name, nameWidth);
  return `${clockText(time)} ${level.padEnd(5)} ${who} ${oneLine(text + more)}\n`;
}

function lineDocument({ time, name, level, text, fields }: LogLine): unknown {
  return fields ?? { time: new Date(time).toISOString(), level, name, msg: text };
}

/** Prints the newest lines of the logs in order of time and, with `--follow`, goes on with new ones. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const folder = session.folder.log;
  const names = namesOf(input, folder);
  if (!existsSync(folder)) {
    session.note(session.text.logs.none);
    return;
  }
  const least = logLevels.findIndex((level) => level === (input.text('level') ?? 'debug'));
  const wanted = ({ level }: LogLine) => logLevels.indexOf(level) >= least;
  const print = (line: LogLine) => session.printItem(lineDocument(line), () => lineText(line));
  const lines = input.flag('follow') ? followLogs({ folder, names, signal: session.signal }) : undefined;
  for (const line of readLastLines(findLogs(folder, names), input.number('lines') ?? defaultLines, wanted)) {
    print(line);
  }
  for await (const line of lines ?? []) if (wanted(line)) print(line);
}
