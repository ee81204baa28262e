import { knowledgeKinds } from '../../../protocol/knowledge.ts';
import type { CommandSpec, OptionSpec } from '../../command-spec.ts';
import { count, id, reason, text, timeout } from '../shared-options.ts';

const kind: OptionSpec = {
  name: 'kind',
  value: { placeholder: 'KIND', kind: 'text', choices: knowledgeKinds },
};
const entryFilters: readonly OptionSpec[] = [kind, text('tags', 'TAGS'), { name: 'all' }];
const entryOptions: readonly OptionSpec[] = [
  text('title', 'TEXT'),
  text('body', 'TEXT'),
  kind,
  text('tags', 'TAGS'),
  text('source', 'TEXT'),
  text('confidence', 'NUMBER'),
  text('directives', 'IDS'),
  text('tasks', 'TASKS'),
  text('incidents', 'IDS'),
  text('expires', 'WHEN'),
  text('superseded-by', 'ID'),
];

/** The commands about knowledge. */
export const knowledgeCommands: readonly CommandSpec[] = [
  {
    path: 'knowledge add',
    arguments: [{ name: 'file', required: false }],
    options: [{ name: 'id', value: { placeholder: 'ID', kind: 'text' } }, ...entryOptions, reason],
    load: () => import('./knowledge-add.ts'),
  },
  {
    path: 'knowledge edit',
    arguments: [id, { name: 'file', required: false }],
    options: [...entryOptions, reason],
    load: () => import('./knowledge-edit.ts'),
  },
  {
    path: 'knowledge show',
    arguments: [id],
    options: [count('at-version', 1_000_000)],
    load: () => import('./knowledge-show.ts'),
  },
  {
    path: 'knowledge history',
    arguments: [id],
    options: [],
    load: () => import('./knowledge-history.ts'),
  },
  {
    path: 'knowledge list',
    arguments: [],
    options: [...entryFilters, count('limit', 500)],
    load: () => import('./knowledge-list.ts'),
  },
  {
    path: 'knowledge search',
    arguments: [{ name: 'query', required: true }],
    options: [...entryFilters, count('limit', 50), { name: 'explain' }, timeout],
    load: () => import('./knowledge-search.ts'),
  },
  {
    path: 'knowledge forget',
    arguments: [{ name: 'id', required: true }],
    options: [],
    load: () => import('./knowledge-forget.ts'),
  },
  {
    path: 'knowledge import',
    arguments: [{ name: 'folder', required: true }],
    options: [reason],
    load: () => import('./knowledge-import.ts'),
  },
  {
    path: 'knowledge export',
    arguments: [{ name: 'folder', required: true }],
    options: [],
    load: () => import('./knowledge-export.ts'),
  },
];
