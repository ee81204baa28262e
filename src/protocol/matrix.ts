import type { TaskSpec } from './directive.ts';

/** The most tasks of one graph once every matrix is expanded. */
export const maxExpandedTasks = 100_000;

/** A task as it is carried out: a task of the directive, or one combination of its matrix. */
export interface ExpandedTask {
  readonly id: string;
  /** Index of the task in the directive. */
  readonly template: number;
  readonly matrix: Readonly<Record<string, string>>;
}

const forId = (value: string) => value.replaceAll(/[^\p{L}\p{M}\p{N}_-]+/gu, '-');

/** Into how many tasks a task expands. */
export function expandedCount({ matrix }: Pick<TaskSpec, 'matrix'>): number {
  return Object.values(matrix ?? {}).reduce((product, values) => product * values.length, 1);
}

/** Gives the combinations of a matrix, the last name varying fastest; one empty combination without a matrix. */
function combinations(matrix: NonNullable<TaskSpec['matrix']>): Record<string, string>[] {
  return Object.entries(matrix).reduce<Record<string, string>[]>(
    (rows, [name, values]) => rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value }))),
    [{}],
  );
}

/** Expands one task: `test` with `node: [24, 26]` gives `test.24` and `test.26`. */
export function expandTask(task: Pick<TaskSpec, 'id' | 'matrix'>, template: number): ExpandedTask[] {
  if (task.matrix === undefined) return [{ id: task.id, template, matrix: {} }];
  return combinations(task.matrix).map((matrix) => ({
    id: [task.id, ...Object.values(matrix).map(forId)].join('.'),
    template,
    matrix,
  }));
}
