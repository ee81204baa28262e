import { constants, existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskSpec } from '../../../protocol/directive.ts';

/** Names of the files through which a command tells what a person would otherwise have to read out of its output. */
export const taskFileNames = { output: 'output', tasks: 'tasks', progress: 'progress' } as const;

const maxBytes = 256 * 1024;
const maxOutputs = 100;
const maxTasksAdded = 500;
const maxValue = 8_192;

/** What a command wrote for those that come after it. */
export interface TaskFiles {
  readonly outputs?: Readonly<Record<string, string>>;
  readonly added?: readonly TaskSpec[];
  /** What of it could not be used, and why. */
  readonly problems: readonly string[];
}

async function readBounded(path: string, problems: string[]): Promise<string> {
  const file = await openPlain(path);
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    if (size > maxBytes) {
      problems.push(`${path.split('/').at(-1)}: more than ${maxBytes} bytes, so none of it was used`);
      return '';
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/**
 * Opens a file that a command may have put there, for reading; `undefined` where there is none. A link could lead out of
 * the sandbox, and a pipe would be waited for without end.
 */
export async function openPlain(path: string): Promise<FileHandle | undefined> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => undefined);
  if (file === undefined || (await file.stat()).isFile()) return file;
  await file.close();
  return undefined;
}

/** Reads `NAME=VALUE` lines, and `NAME<<END` … `END` for values of several lines, as GitHub Actions has them. */
export function readOutputs(text: string, problems: string[]): Record<string, string> {
  const outputs: Record<string, string> = {};
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] as string;
    if (line.trim() === '') continue;
    const found = /^([A-Za-z_][A-Za-z0-9_-]{0,63})(=|<<)(.*)$/.exec(line);
    if (!found) {
      problems.push(`output: line ${at + 1} is neither NAME=VALUE nor NAME<<END`);
      continue;
    }
    const [, name, operator, rest] = found as unknown as [string, string, string, string];
    let value = rest;
    if (operator === '<<') {
      const end = lines.indexOf(rest, at + 1);
      if (end < 0) {
        problems.push(`output: line ${at + 1} has no end "${rest}"`);
        return outputs;
      }
      value = lines.slice(at + 1, end).join('\n');
      at = end;
    }
    if (value.length > maxValue) problems.push(`output: ${name} is longer than ${maxValue} characters`);
    else if (Object.keys(outputs).length >= maxOutputs)
      problems.push(`output: more than ${maxOutputs} names`);
    else outputs[name] = value;
  }
  return outputs;
}

/** With this comes the reader of YAML, which only a task needs that adds others. */
async function readLines(lines: string) {
  const { readTaskLines } = await import('../../../protocol/directive-file.ts');
  return readTaskLines(lines);
}

/** Reads what a command left in its folder. Nothing it wrote there can fail the task; what is no use is told. */
export async function readTaskFiles(folder: string): Promise<TaskFiles> {
  const problems: string[] = [];
  // Most commands leave nothing, and to look for each file would cost a short one as much as running it.
  if (!Object.values(taskFileNames).some((name) => existsSync(join(folder, name)))) return { problems };
  const outputs = readOutputs(await readBounded(join(folder, taskFileNames.output), problems), problems);
  const lines = await readBounded(join(folder, taskFileNames.tasks), problems);
  const read = lines === '' ? { tasks: [], problems: [] } : await readLines(lines);
  problems.push(...read.problems);
  const added = read.tasks.slice(0, maxTasksAdded);
  if (added.length < read.tasks.length)
    problems.push(`tasks: more than ${maxTasksAdded}; the rest was not added`);
  return {
    ...(Object.keys(outputs).length > 0 && { outputs }),
    ...(added.length > 0 && { added }),
    problems,
  };
}
