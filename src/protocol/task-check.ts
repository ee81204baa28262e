import { parseCondition } from './condition.ts';
import type { TaskSpec } from './directive.ts';
import { expandedCount, expandTask, maxExpandedTasks } from './matrix.ts';
import { type Placeholder, placeholdersOf } from './placeholders.ts';
import type { Path } from './schema-problems.ts';

/** A flaw of the tasks of a directive beyond its form and its needs; the path starts at the list of tasks. */
export interface TaskProblem {
  readonly path: Path;
  readonly code: 'too_many_tasks' | 'matrix_id' | 'condition' | 'placeholder' | 'not_needed';
  readonly message: string;
}

const longestId = 64;
const maxProblems = 100;

type Add = (path: Path, code: TaskProblem['code'], message: string) => void;

function checkMatrix(task: TaskSpec, ids: Set<string>, add: Add): void {
  if (task.matrix === undefined) return;
  for (const { id } of expandTask(task, 0)) {
    if (id.length > longestId) {
      add(
        ['matrix'],
        'matrix_id',
        `the id "${id.slice(0, 80)}" would be longer than ${longestId} characters`,
      );
      return;
    }
    if (ids.has(id)) {
      add(['matrix'], 'matrix_id', `two tasks would have the id "${id}"`);
      return;
    }
    ids.add(id);
  }
}

/** Whether a task may speak of another: it needs it, or the one whose matrix it comes from. */
function isNeeded(need: string, { needs }: TaskSpec): boolean {
  return needs.includes(need);
}

function checkCondition(task: TaskSpec, add: Add): void {
  if (task.condition === undefined) return;
  try {
    const { needs, matrix } = parseCondition(task.condition);
    for (const need of needs) {
      if (!isNeeded(need, task))
        add(['if'], 'not_needed', `it speaks of "${need}", which is not among its needs`);
    }
    for (const name of matrix) {
      if (!task.matrix?.[name]) add(['if'], 'condition', `its matrix has no "${name}"`);
    }
  } catch (error) {
    add(['if'], 'condition', (error as SyntaxError).message);
  }
}

function checkPlaceholders(task: TaskSpec, add: Add): void {
  for (const [variable, value] of Object.entries(task.env)) {
    let found: readonly Placeholder[];
    try {
      found = placeholdersOf(value);
    } catch (error) {
      add(['env', variable], 'placeholder', (error as SyntaxError).message);
      continue;
    }
    for (const placeholder of found) {
      if (placeholder.kind === 'matrix' && !task.matrix?.[placeholder.name]) {
        add(['env', variable], 'placeholder', `its matrix has no "${placeholder.name}"`);
      } else if (placeholder.kind !== 'matrix' && !isNeeded(placeholder.need, task)) {
        add(
          ['env', variable],
          'not_needed',
          `it speaks of "${placeholder.need}", which is not among its needs`,
        );
      }
    }
  }
  if (/\$\{\{/.test(task.run)) {
    const message = 'a command line takes no ${{ … }}; put it in `env` and use the variable';
    add(['run'], 'placeholder', message);
  }
}

/** Checks matrices, conditions and placeholders; an empty list means that all is well. */
export function checkTasks(tasks: readonly TaskSpec[], before = 0): TaskProblem[] {
  const problems: TaskProblem[] = [];
  const total = tasks.reduce((sum, task) => sum + expandedCount(task), before);
  if (total > maxExpandedTasks) {
    const message = `there would be ${total} tasks; ${maxExpandedTasks} is the most`;
    return [{ path: [], code: 'too_many_tasks', message }];
  }
  const ids = new Set(tasks.filter(({ matrix }) => matrix === undefined).map(({ id }) => id));
  for (const [index, task] of tasks.entries()) {
    if (problems.length >= maxProblems) break;
    const add: Add = (path, code, message) => problems.push({ path: [index, ...path], code, message });
    checkMatrix(task, ids, add);
    checkCondition(task, add);
    checkPlaceholders(task, add);
  }
  return problems;
}
