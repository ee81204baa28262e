import type { TaskSpec } from './directive.ts';
import { expandTask } from './matrix.ts';
import { didYouMean } from './nearest.ts';
import type { Path } from './schema-problems.ts';

/** A flaw of a task graph; the path starts at the list of tasks. */
export interface GraphProblem {
  readonly path: Path;
  readonly code: 'duplicate_id' | 'unknown_need' | 'duplicate_need' | 'self_need' | 'cycle';
  readonly message: string;
}

/** What the check of a graph looks at. */
export type GraphTask = Pick<TaskSpec, 'id' | 'needs' | 'matrix'>;

/** Told before the check stops: a suggestion looks at every id, so thousands of them would take long. */
const maxEdgeProblems = 100;

/** No more cycles than this are told; a dense graph has more of them than anybody reads. */
const maxCycles = 20;

function edgeProblems(
  tasks: readonly GraphTask[],
  indexOf: ReadonlyMap<string, number>,
  known: ReadonlySet<string>,
): GraphProblem[] {
  const problems: GraphProblem[] = [];
  for (const [index, { id, needs }] of tasks.entries()) {
    if (problems.length >= maxEdgeProblems) break;
    const add = (path: Path, code: GraphProblem['code'], message: string) =>
      problems.push({ path: [index, ...path], code, message });
    if (indexOf.get(id) !== index || known.has(id)) {
      add(
        ['id'],
        'duplicate_id',
        `the id "${id}" is already that of ${known.has(id) ? 'a task of this directive' : `task ${(indexOf.get(id) ?? 0) + 1}`}`,
      );
    }
    const seen = new Set<string>();
    for (const [position, need] of needs.entries()) {
      const path = ['needs', position];
      if (indexOf.get(need) === index) add(path, 'self_need', `the task "${id}" needs itself`);
      else if (!indexOf.has(need) && !known.has(need)) {
        const others = [...indexOf.keys(), ...known].filter((other) => other !== id);
        add(path, 'unknown_need', `there is no task "${need}"${didYouMean(need, others)}`);
      } else if (seen.has(need)) add(path, 'duplicate_need', `"${need}" is needed twice`);
      seen.add(need);
    }
  }
  return problems;
}

function cycleProblems(tasks: readonly GraphTask[], indexOf: ReadonlyMap<string, number>): GraphProblem[] {
  const problems: GraphProblem[] = [];
  const done = new Set<number>();
  const depth = new Map<number, number>();
  for (const root of tasks.keys()) {
    // Iterative, because a chain of thousands of tasks would exhaust the stack.
    const stack = done.has(root) ? [] : [{ index: root, next: 0 }];
    if (stack.length > 0) depth.set(root, 0);
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const position = top.next++;
      const need = tasks[top.index]?.needs[position];
      if (need === undefined) {
        done.add(top.index);
        depth.delete(top.index);
        stack.pop();
        continue;
      }
      const target = indexOf.get(need);
      const again = tasks[top.index]?.needs.indexOf(need) !== position;
      if (target === undefined || again || target === top.index || done.has(target)) continue;
      const start = depth.get(target);
      if (start === undefined) {
        depth.set(target, stack.length);
        stack.push({ index: target, next: 0 });
      } else if (problems.length < maxCycles) {
        const names = [...stack.slice(start).map(({ index }) => tasks[index]?.id), need];
        const path = [top.index, 'needs', position];
        problems.push({ path, code: 'cycle', message: `the needs form a cycle: ${names.join(' → ')}` });
      }
    }
  }
  return problems;
}

/**
 * Checks that the needs of tasks form a graph that can be carried out; an empty list means that they do. A need
 * names a task, or one of those that its matrix expands into. `known` are tasks that stand already.
 */
export function checkGraph(
  tasks: readonly GraphTask[],
  known: ReadonlySet<string> = new Set(),
): GraphProblem[] {
  const indexOf = new Map<string, number>();
  for (const [index, { id }] of tasks.entries()) if (!indexOf.has(id)) indexOf.set(id, index);
  for (const [index, task] of tasks.entries()) {
    if (task.matrix === undefined) continue;
    for (const { id } of expandTask(task, index)) if (!indexOf.has(id)) indexOf.set(id, index);
  }
  return [...edgeProblems(tasks, indexOf, known), ...cycleProblems(tasks, indexOf)];
}
