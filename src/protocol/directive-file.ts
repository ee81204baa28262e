import { z } from 'zod';
import { risks } from './approval.ts';
import { type DirectiveSpec, defaultTaskTimeoutMs, maxTasks, type TaskSpec, taskId } from './directive.ts';
import { type Locate, type Problem, readDocument } from './document.ts';
import { parseDuration } from './duration.ts';
import { type Path, pathText } from './schema-problems.ts';
import { checkGraph } from './task-graph.ts';

const withoutNul = { error: 'this may not contain a NUL character' };
const noNul = (text: string) => !text.includes('\0');

const duration = z.string().refine((text) => (parseDuration(text) ?? 0) >= 1, {
  error: 'expected a duration such as 500ms, 30s, 10m, 2h',
});

const task = z.strictObject({
  id: taskId.describe('Names the task within the directive: letters, digits, `.`, `_`, `-`.'),
  run: z
    .string()
    .min(1)
    .max(65_536)
    .refine(noNul, withoutNul)
    .describe('Command line, run by `bash -e -o pipefail -c`, or `sh -e -c` where there is no bash.'),
  needs: z
    .union([z.string(), z.array(z.string())])
    .default([])
    .describe('Tasks that must succeed first: one id or a list.'),
  retries: z.int().min(0).max(100).default(0).describe('How often a failed task is tried again.'),
  timeout: duration
    .default('1h')
    .describe('After this the command and all that it started are ended and the attempt has failed.'),
  priority: z.int().min(1).max(10).default(5).describe('Of the tasks that are ready, 10 runs first.'),
  env: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected letters, digits and _'),
      z.union([z.string().refine(noNul, withoutNul), z.number(), z.boolean()]),
    )
    .default({})
    .describe('Environment variables; numbers, true and false become text.'),
});

/** Schema of a directive file as a person writes it. */
export const directiveFile = z.strictObject({
  directive: z.string().min(1).max(200).describe('Title.'),
  goal: z.string().max(4_000).default('').describe('What is true once it is done.'),
  workspace: z
    .string()
    .min(1)
    .refine(noNul, withoutNul)
    .default('.')
    .describe('Folder that the commands run in, seen from where `elders` is called.'),
  risk: z
    .enum(risks)
    .optional()
    .describe('How much can go wrong: above `strategy.maxRisk` it waits for `elders approve`.'),
  tasks: z.array(task).min(1).max(maxTasks).describe('What is to be done.'),
});

/** A directive as it was read, its workspace still as written; or everything that is wrong with the file. */
export type ReadDirective =
  | { readonly ok: true; readonly spec: DirectiveSpec; readonly at: Locate }
  | { readonly ok: false; readonly problems: readonly Problem[] };

function completeTask(task: z.output<typeof directiveFile>['tasks'][number]): TaskSpec {
  const { id, run, needs, retries, timeout, priority, env } = task;
  return {
    id,
    run,
    needs: typeof needs === 'string' ? [needs] : needs,
    retries,
    timeoutMs: parseDuration(timeout) ?? defaultTaskTimeoutMs,
    priority,
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)])),
  };
}

/** Reads a directive file, YAML or JSON: its form, then its graph. */
export function readDirective(text: string): ReadDirective {
  const read = readDocument(text, directiveFile);
  if (!read.ok) return read;
  const { directive, goal, workspace, risk, tasks } = read.value;
  const spec: DirectiveSpec = {
    title: directive,
    goal,
    workspace,
    ...(risk && { risk }),
    tasks: tasks.map(completeTask),
  };
  const problems = checkGraph(spec.tasks).map(({ path, code, message }) => {
    const whole: Path = ['tasks', ...path];
    return { path: pathText(whole), ...read.at(whole), code, message };
  });
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, spec, at: read.at };
}
