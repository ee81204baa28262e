import type { DirectiveView, TaskRecord } from '../../protocol/directive.ts';
import type { TaskState } from '../../protocol/states.ts';
import { oneLine } from '../text/printable.ts';
import { paintState } from '../text/state-color.ts';

type Graph = Pick<DirectiveView, 'title' | 'tasks'>;

/** The tasks that a task needs: a need may name all tasks that a matrix expanded into. */
function neededBy({ tasks }: Graph): Map<string, string[]> {
  const ids = new Set(tasks.map(({ id }) => id));
  const expanded = new Map<string, string[]>();
  for (const { id, matrix } of tasks) {
    if (matrix === undefined) continue;
    const base = baseOf(id, matrix);
    expanded.set(base, [...(expanded.get(base) ?? []), id]);
  }
  const needsOf = ({ needs }: TaskRecord) =>
    needs.flatMap((need) => (ids.has(need) ? [need] : (expanded.get(need) ?? [])));
  return new Map(tasks.map((task) => [task.id, needsOf(task)]));
}

/** Takes the part of the matrix off an id: it is as many parts as there are names, none of which holds a dot. */
function baseOf(id: string, matrix: Readonly<Record<string, string>>): string {
  return id.split('.').slice(0, -Object.keys(matrix).length).join('.');
}

/** Writes a graph as indented text: each task once below the last of what it needs, others of its needs beside it. */
export function treeOf(graph: Graph): string {
  const needs = neededBy(graph);
  const children = new Map<string | undefined, TaskRecord[]>();
  for (const task of graph.tasks) {
    const parent = needs.get(task.id)?.at(-1);
    children.set(parent, [...(children.get(parent) ?? []), task]);
  }
  const lines: string[] = [];
  const stack = (children.get(undefined) ?? []).map((task) => ({ task, depth: 0 })).reverse();
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { task, depth } = next;
    const others = (needs.get(task.id) ?? []).slice(0, -1);
    const also = others.length === 0 ? '' : `  (+ ${others.join(', ')})`;
    lines.push(`${'  '.repeat(depth)}${task.id}  ${paintState(task.state)}${also}\n`);
    for (const child of (children.get(task.id) ?? []).reverse())
      stack.push({ task: child, depth: depth + 1 });
  }
  return `${oneLine(graph.title)}\n${lines.join('')}`;
}

const fills: Readonly<Record<TaskState, string>> = {
  waiting: '#eeeeee',
  ready: '#fff3bf',
  running: '#a5d8ff',
  succeeded: '#b2f2bb',
  failed: '#ffc9c9',
  cancelled: '#ced4da',
  skipped: '#dee2e6',
};

const quoted = (text: string) => JSON.stringify(oneLine(text));

/** Writes a graph for Graphviz. */
export function dotOf(graph: Graph): string {
  const nodes = graph.tasks.map(
    ({ id, state }) =>
      `  ${quoted(id)} [label=${quoted(`${id} (${state})`)}, fillcolor="${fills[state]}"];\n`,
  );
  const edges = [...neededBy(graph)].flatMap(([id, needs]) =>
    needs.map((need) => `  ${quoted(need)} -> ${quoted(id)};\n`),
  );
  return `digraph ${quoted(graph.title)} {\n  rankdir=LR;\n  node [shape=box, style="rounded,filled"];\n${nodes.join('')}${edges.join('')}}\n`;
}

/** Text within a Mermaid label: what would end or restyle it is written as an entity. */
const label = (text: string) =>
  oneLine(text).replaceAll(/[#"<>&;`]/g, (character) => `#${character.codePointAt(0)};`);

/** Writes a graph for Mermaid. */
export function mermaidOf(graph: Graph): string {
  const names = new Map(graph.tasks.map(({ id }, index) => [id, `t${index}`]));
  const nodes = graph.tasks.map(({ id, state }) => `  ${names.get(id)}["${label(id)}"]:::${state}\n`);
  const edges = [...neededBy(graph)].flatMap(([id, needs]) =>
    needs.map((need) => `  ${names.get(need)} --> ${names.get(id)}\n`),
  );
  const classes = Object.entries(fills).map(([state, fill]) => `  classDef ${state} fill:${fill}\n`);
  return `flowchart LR\n${nodes.join('')}${edges.join('')}${classes.join('')}`;
}
