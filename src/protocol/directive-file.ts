import { z } from 'zod';
import { risks } from './approval.ts';
import { conditionForms } from './condition.ts';
import {
  type DirectiveSpec,
  defaultTaskTimeoutMs,
  label,
  maxTasks,
  type TaskSpec,
  taskId,
} from './directive.ts';
import { type Locate, type Problem, readDocument } from './document.ts';
import { parseDuration } from './duration.ts';
import { networkHost } from './network-host.ts';
import { type Path, pathText } from './schema-problems.ts';
import { checkTasks } from './task-check.ts';
import { checkGraph } from './task-graph.ts';

const withoutNul = { error: 'this may not contain a NUL character' };
const noNul = (text: string) => !text.includes('\0');

const duration = z.string().refine((text) => (parseDuration(text) ?? 0) >= 1, {
  error: 'expected a duration such as 500ms, 30s, 10m, 2h',
});

const oneOrMore = (item: z.ZodString) => z.union([item, z.array(item).min(1).max(16)]);
const listOf = (value: string | readonly string[]) => (typeof value === 'string' ? [value] : [...value]);

const mergeInto = z.union([z.boolean(), z.string().min(1).max(200)]);

/** Schema of one task as a person, or a running task, writes it. */
export const taskInFile = z.strictObject({
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
    .describe(
      'Environment variables; numbers, true and false become text. `${{ matrix.NAME }}`, `${{ needs.ID.outputs.NAME }}` and `${{ needs.ID.result }}` are filled in, here and nowhere else: what another task printed never becomes part of a command line.',
    ),
  matrix: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'expected letters, digits and _'),
      z
        .array(z.union([z.string().max(256).refine(noNul, withoutNul), z.number(), z.boolean()]))
        .min(1)
        .max(10_000),
    )
    .optional()
    .describe(
      'One task for each combination of the values, with ids such as `test.24.linux` and the values in `MATRIX_NAME`; who needs `test` needs all of them.',
    ),
  if: z
    .string()
    .min(1)
    .max(2_000)
    .optional()
    .describe(`Runs only if this holds once every need has ended: ${conditionForms}. Default: success().`),
  labels: oneOrMore(label).optional().describe('Only servants that carry all of these labels run it.'),
  locks: oneOrMore(label)
    .optional()
    .describe('Names of locks; of the tasks of this tree that name the same lock one runs at a time.'),
  deadline: duration
    .optional()
    .describe('Counted from the submission; after it the task is ended and has failed.'),
  reports: oneOrMore(z.string().min(1).max(256).refine(noNul, withoutNul))
    .optional()
    .describe(
      'Test reports that the command writes, as paths or patterns below the workspace: JUnit XML (`*.xml`) or JSON lines (`*.jsonl`). Failures then show by the name of their test.',
    ),
  hosts: oneOrMore(networkHost)
    .optional()
    .describe(
      'Hosts that the command may reach, as `registry.npmjs.org` or `*.example.com:8443`, where `strategy.hosts` allows them; it finds them by `http_proxy` and `https_proxy`.',
    ),
  git: z
    .enum(['worktree', 'patch'])
    .optional()
    .describe(
      'A worktree of its own on a branch of its own, `elders/DIRECTIVE/TASK`; what the command leaves becomes a commit on it, or with `patch` a patch that is kept with the task.',
    ),
  merge: mergeInto
    .optional()
    .describe(
      'Merges the commit of a task with `git: worktree` once it has succeeded: into this branch, with `true` into the one that the workspace has checked out. `false`: not, whatever the directive says.',
    ),
  artifacts: oneOrMore(z.string().min(1).max(256).refine(noNul, withoutNul))
    .optional()
    .describe('Files below the workspace that are kept with the task, as paths or patterns.'),
  additions: z
    .boolean()
    .optional()
    .describe(
      'Whether the command may add tasks to this directive, as JSON lines in the file `$ELDERS_TASKS`.',
    ),
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
  deadline: duration
    .optional()
    .describe(
      'Counted from the submission; after it whatever has not ended is ended, and the directive has failed.',
    ),
  merge: mergeInto
    .optional()
    .describe('`merge` of all tasks with `git: worktree` that do not say it themselves.'),
  tasks: z.array(taskInFile).min(1).max(maxTasks).describe('What is to be done.'),
});

/** A directive as it was read, its workspace still as written; or everything that is wrong with the file. */
export type ReadDirective =
  | { readonly ok: true; readonly spec: DirectiveSpec; readonly at: Locate }
  | { readonly ok: false; readonly problems: readonly Problem[] };

function gitOf(
  wish: 'worktree' | 'patch',
  merge: boolean | string | undefined,
): NonNullable<TaskSpec['git']> {
  if (wish === 'patch') return { result: 'patch' };
  return { result: 'commit', ...(merge !== undefined && merge !== false && { merge }) };
}

/** Fills in what a task in a file leaves open. */
export function completeTask(
  task: z.output<typeof taskInFile>,
  mergeAll?: z.output<typeof mergeInto>,
): TaskSpec {
  const {
    id,
    run,
    needs,
    retries,
    timeout,
    priority,
    env,
    matrix,
    labels,
    locks,
    deadline,
    additions,
    reports,
  } = task;
  return {
    id,
    run,
    needs: listOf(needs),
    retries,
    timeoutMs: parseDuration(timeout) ?? defaultTaskTimeoutMs,
    priority,
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)])),
    ...(matrix && {
      matrix: Object.fromEntries(Object.entries(matrix).map(([name, values]) => [name, values.map(String)])),
    }),
    ...(task.if !== undefined && { condition: task.if }),
    ...(labels !== undefined && { labels: listOf(labels) }),
    ...(locks !== undefined && { locks: listOf(locks) }),
    ...(task.hosts !== undefined && { hosts: listOf(task.hosts) }),
    ...(deadline !== undefined && { deadlineMs: parseDuration(deadline) as number }),
    ...(task.git !== undefined && { git: gitOf(task.git, task.merge ?? mergeAll) }),
    ...(task.artifacts !== undefined && { artifacts: listOf(task.artifacts) }),
    ...(additions && { additions }),
    ...(reports !== undefined && { reports: listOf(reports) }),
  };
}

/** Reads a directive file, YAML or JSON: its form, then its graph. */
export function readDirective(text: string): ReadDirective {
  const read = readDocument(text, directiveFile);
  if (!read.ok) return read;
  const { directive, goal, workspace, risk, deadline, tasks, merge } = read.value;
  const spec: DirectiveSpec = {
    title: directive,
    goal,
    workspace,
    ...(risk && { risk }),
    tasks: tasks.map((task) => completeTask(task, merge)),
    ...(deadline !== undefined && { deadlineMs: parseDuration(deadline) as number }),
  };
  const flaws = [...checkGraph(spec.tasks), ...checkTasks(spec.tasks)];
  const problems = flaws.map(({ path, code, message }) => {
    const whole: Path = ['tasks', ...path];
    return { path: pathText(whole), ...read.at(whole), code, message };
  });
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, spec, at: read.at };
}

/** Tasks as they were read, or everything that is wrong with the file. */
export type ReadTasks =
  | { readonly ok: true; readonly tasks: TaskSpec[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const tasksFile = z.strictObject({ tasks: z.array(taskInFile).min(1).max(maxTasks) });

/**
 * Reads a file with `tasks` to be added to a directive. Whether its needs stand is for the task sage to say, who
 * knows the directive.
 */
export function readTasks(text: string): ReadTasks {
  const read = readDocument(text, tasksFile);
  return read.ok ? { ok: true, tasks: read.value.tasks.map((task) => completeTask(task)) } : read;
}

/** Reads tasks that a running task wrote, one JSON object a line; what does not fit is left out and told. */
export function readTaskLines(text: string): { readonly tasks: TaskSpec[]; readonly problems: string[] } {
  const tasks: TaskSpec[] = [];
  const problems: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const read = readDocument(line, taskInFile);
    if (read.ok) tasks.push(completeTask(read.value));
    else problems.push(`tasks: line ${index + 1}: ${read.problems[0]?.message ?? 'it is no task'}`);
  }
  return { tasks, problems };
}
