import { auditKinds } from '../protocol/audit.ts';
import { knowledgeKinds } from '../protocol/knowledge.ts';
import type { Session } from './session.ts';

/** A value that an option takes. */
interface OptionValue {
  readonly placeholder: string;
  readonly kind: 'text' | 'number' | 'duration';
  readonly minimum?: number;
  readonly maximum?: number;
  readonly choices?: readonly string[];
}

/** An option of a command; its help stands in the catalogs under its name. */
export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  /** Without it the option is a flag. */
  readonly value?: OptionValue;
  readonly hidden?: true;
}

/** A positional argument of a command. */
export interface ArgumentSpec {
  readonly name: string;
  readonly required: boolean;
  readonly variadic?: true;
}

/** What stood on the command line, checked against the table. */
export interface CommandInput {
  readonly arguments: readonly string[];
  flag(name: string): boolean;
  text(name: string): string | undefined;
  /** A whole number; of a duration, its ms. */
  number(name: string): number | undefined;
}

/** What a file in `commands/` exports. */
export interface CommandModule {
  /** May give an exit code of its own; throws where it failed. */
  run(session: Session, input: CommandInput): Promise<number | void>;
}

/** One command; parsing, help and reference docs come from this. */
export interface CommandSpec {
  /** The words that name it. */
  readonly path: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  readonly hidden?: true;
  /** Set where the command itself decides what a signal means. */
  readonly ownSignals?: true;
  /** Set where `--json` prints JSON lines instead of one document. */
  readonly streams?: true;
  load(): Promise<CommandModule>;
}

const id: ArgumentSpec = { name: 'id', required: true };
const task: ArgumentSpec = { name: 'task', required: true };
const reason: OptionSpec = { name: 'reason', value: { placeholder: 'TEXT', kind: 'text' } };
const timeout: OptionSpec = { name: 'timeout', value: { placeholder: 'DURATION', kind: 'duration' } };

function count(name: string, maximum: number, short?: string): OptionSpec {
  const value: OptionValue = { placeholder: 'N', kind: 'number', minimum: 1, maximum };
  return short === undefined ? { name, value } : { name, short, value };
}

function text(name: string, placeholder: string): OptionSpec {
  return { name, value: { placeholder, kind: 'text' } };
}

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

/** Options that every command takes. */
export const globalOptions: readonly OptionSpec[] = [
  { name: 'json' },
  { name: 'project', value: { placeholder: 'DIR', kind: 'text' } },
  { name: 'lang', value: { placeholder: 'LANG', kind: 'text', choices: ['en', 'ja'] } },
  { name: 'no-color' },
];

/** Every command, in the order of the help. */
export const commandTable: readonly CommandSpec[] = [
  {
    path: 'up',
    arguments: [],
    options: [
      { name: 'detach', short: 'd' },
      { name: 'wait' },
      { name: 'port-base', value: { placeholder: 'N', kind: 'number' } },
      { name: 'servants', value: { placeholder: 'N', kind: 'number' } },
      { name: 'allow-insecure-redis' },
      { name: 'events-fd', value: { placeholder: 'FD', kind: 'number', minimum: 3 }, hidden: true },
    ],
    ownSignals: true,
    streams: true,
    load: () => import('./commands/up.ts'),
  },
  { path: 'down', arguments: [], options: [{ name: 'force' }], load: () => import('./commands/down.ts') },
  { path: 'status', arguments: [], options: [], load: () => import('./commands/status.ts') },
  {
    path: 'describe',
    arguments: [{ name: 'name', required: true }],
    options: [],
    load: () => import('./commands/describe.ts'),
  },
  {
    path: 'top',
    arguments: [],
    options: [
      { name: 'interval', value: { placeholder: 'DURATION', kind: 'duration' } },
      count('count', 1_000_000, 'n'),
    ],
    streams: true,
    ownSignals: true,
    load: () => import('./commands/top.ts'),
  },
  {
    path: 'restart',
    arguments: [{ name: 'names', required: false, variadic: true }],
    options: [{ name: 'all' }],
    load: () => import('./commands/restart.ts'),
  },
  { path: 'reload', arguments: [], options: [], load: () => import('./commands/reload.ts') },
  {
    path: 'scale',
    arguments: [{ name: 'counts', required: false, variadic: true }],
    options: [{ name: 'detach', short: 'd' }],
    load: () => import('./commands/scale.ts'),
  },
  {
    path: 'export',
    arguments: [{ name: 'system', required: true }],
    options: [{ name: 'output', short: 'o', value: { placeholder: 'DIR', kind: 'text' } }, { name: 'user' }],
    load: () => import('./commands/export.ts'),
  },
  {
    path: 'directive submit',
    arguments: [{ name: 'file', required: true }],
    options: [{ name: 'wait' }, timeout],
    load: () => import('./commands/directive-submit.ts'),
  },
  {
    path: 'directive list',
    arguments: [],
    options: [count('limit', 1_000)],
    load: () => import('./commands/directive-list.ts'),
  },
  {
    path: 'directive show',
    arguments: [id],
    options: [{ name: 'wait' }, timeout],
    load: () => import('./commands/directive-show.ts'),
  },
  {
    path: 'directive report',
    arguments: [id],
    options: [
      { name: 'format', value: { placeholder: 'FORMAT', kind: 'text', choices: ['markdown', 'html'] } },
      { name: 'output', short: 'o', value: { placeholder: 'FILE', kind: 'text' } },
    ],
    load: () => import('./commands/directive-report.ts'),
  },
  {
    path: 'directive cancel',
    arguments: [id],
    options: [reason],
    load: () => import('./commands/directive-cancel.ts'),
  },
  {
    path: 'task list',
    arguments: [{ name: 'id', required: false }],
    options: [{ name: 'state', value: { placeholder: 'STATES', kind: 'text' } }, count('limit', 500)],
    load: () => import('./commands/task-list.ts'),
  },
  { path: 'task show', arguments: [task], options: [], load: () => import('./commands/task-show.ts') },
  {
    path: 'task logs',
    arguments: [task],
    options: [{ name: 'follow', short: 'f' }, count('attempt', 100_000)],
    streams: true,
    load: () => import('./commands/task-logs.ts'),
  },
  {
    path: 'task graph',
    arguments: [id],
    options: [
      { name: 'format', value: { placeholder: 'FORMAT', kind: 'text', choices: ['text', 'dot', 'mermaid'] } },
    ],
    load: () => import('./commands/task-graph.ts'),
  },
  {
    path: 'task add',
    arguments: [id, { name: 'file', required: true }],
    options: [],
    load: () => import('./commands/task-add.ts'),
  },
  { path: 'task retry', arguments: [task], options: [], load: () => import('./commands/task-retry.ts') },
  {
    path: 'task cancel',
    arguments: [task],
    options: [{ name: 'subtree' }, reason],
    load: () => import('./commands/task-cancel.ts'),
  },
  {
    path: 'task pause',
    arguments: [task],
    options: [{ name: 'subtree' }, reason],
    load: () => import('./commands/task-pause.ts'),
  },
  {
    path: 'task clean',
    arguments: [{ name: 'id', required: false }],
    options: [{ name: 'yes' }],
    load: () => import('./commands/task-clean.ts'),
  },
  {
    path: 'task resume',
    arguments: [task],
    options: [{ name: 'subtree' }],
    load: () => import('./commands/task-resume.ts'),
  },
  {
    path: 'ask',
    arguments: [
      { name: 'sage', required: true },
      { name: 'question', required: false },
    ],
    options: [count('limit', 50), timeout],
    load: () => import('./commands/ask.ts'),
  },
  {
    path: 'rag index',
    arguments: [{ name: 'path', required: true }],
    options: [{ name: 'wait' }, timeout],
    load: () => import('./commands/rag-index.ts'),
  },
  {
    path: 'rag search',
    arguments: [{ name: 'query', required: true }],
    options: [
      count('limit', 50),
      { name: 'below', value: { placeholder: 'PATH', kind: 'text' } },
      { name: 'explain' },
      timeout,
    ],
    load: () => import('./commands/rag-search.ts'),
  },
  {
    path: 'rag context',
    arguments: [{ name: 'query', required: true }],
    options: [
      {
        name: 'budget',
        value: { placeholder: 'TOKENS', kind: 'number', minimum: 64, maximum: 100_000 },
      },
      { name: 'below', value: { placeholder: 'PATH', kind: 'text' } },
      timeout,
    ],
    load: () => import('./commands/rag-context.ts'),
  },
  { path: 'rag status', arguments: [], options: [], load: () => import('./commands/rag-status.ts') },
  {
    path: 'rag forget',
    arguments: [{ name: 'path', required: true }],
    options: [],
    load: () => import('./commands/rag-forget.ts'),
  },
  {
    path: 'knowledge add',
    arguments: [{ name: 'file', required: false }],
    options: [{ name: 'id', value: { placeholder: 'ID', kind: 'text' } }, ...entryOptions, reason],
    load: () => import('./commands/knowledge-add.ts'),
  },
  {
    path: 'knowledge edit',
    arguments: [id, { name: 'file', required: false }],
    options: [...entryOptions, reason],
    load: () => import('./commands/knowledge-edit.ts'),
  },
  {
    path: 'knowledge show',
    arguments: [id],
    options: [count('at-version', 1_000_000)],
    load: () => import('./commands/knowledge-show.ts'),
  },
  {
    path: 'knowledge history',
    arguments: [id],
    options: [],
    load: () => import('./commands/knowledge-history.ts'),
  },
  {
    path: 'knowledge list',
    arguments: [],
    options: [...entryFilters, count('limit', 500)],
    load: () => import('./commands/knowledge-list.ts'),
  },
  {
    path: 'knowledge search',
    arguments: [{ name: 'query', required: true }],
    options: [...entryFilters, count('limit', 50), { name: 'explain' }, timeout],
    load: () => import('./commands/knowledge-search.ts'),
  },
  {
    path: 'knowledge forget',
    arguments: [{ name: 'id', required: true }],
    options: [],
    load: () => import('./commands/knowledge-forget.ts'),
  },
  {
    path: 'knowledge import',
    arguments: [{ name: 'folder', required: true }],
    options: [reason],
    load: () => import('./commands/knowledge-import.ts'),
  },
  {
    path: 'knowledge export',
    arguments: [{ name: 'folder', required: true }],
    options: [],
    load: () => import('./commands/knowledge-export.ts'),
  },
  {
    path: 'msg send',
    arguments: [
      { name: 'target', required: true },
      { name: 'action', required: true },
    ],
    options: [
      { name: 'payload', value: { placeholder: 'JSON', kind: 'text' } },
      count('priority', 10),
      timeout,
    ],
    load: () => import('./commands/msg-send.ts'),
  },
  { path: 'msg show', arguments: [id], options: [], load: () => import('./commands/msg-show.ts') },
  {
    path: 'dlq list',
    arguments: [],
    options: [{ name: 'elder', value: { placeholder: 'NAME', kind: 'text' } }, count('limit', 100_000)],
    load: () => import('./commands/dlq-list.ts'),
  },
  { path: 'dlq show', arguments: [id], options: [], load: () => import('./commands/dlq-show.ts') },
  { path: 'dlq replay', arguments: [id], options: [timeout], load: () => import('./commands/dlq-replay.ts') },
  {
    path: 'dlq discard',
    arguments: [id],
    options: [timeout],
    load: () => import('./commands/dlq-discard.ts'),
  },
  {
    path: 'emergency halt',
    arguments: [{ name: 'id', required: false }],
    options: [reason],
    load: () => import('./commands/emergency-halt.ts'),
  },
  {
    path: 'emergency resume',
    arguments: [{ name: 'id', required: false }],
    options: [reason],
    load: () => import('./commands/emergency-resume.ts'),
  },
  {
    path: 'approvals',
    arguments: [],
    options: [{ name: 'all' }],
    load: () => import('./commands/approvals.ts'),
  },
  {
    path: 'approve',
    arguments: [id],
    options: [reason, { name: 'digest', value: { placeholder: 'SHA256', kind: 'text' } }],
    load: () => import('./commands/approve.ts'),
  },
  {
    path: 'deny',
    arguments: [id],
    options: [reason, { name: 'digest', value: { placeholder: 'SHA256', kind: 'text' } }],
    load: () => import('./commands/deny.ts'),
  },
  {
    path: 'auth can-i',
    arguments: [{ name: 'action', required: true }],
    options: [
      { name: 'as', value: { placeholder: 'NAME', kind: 'text' } },
      { name: 'to', value: { placeholder: 'NAME', kind: 'text' } },
      { name: 'on-behalf-of', value: { placeholder: 'NAMES', kind: 'text' } },
    ],
    load: () => import('./commands/auth-can-i.ts'),
  },
  { path: 'auth matrix', arguments: [], options: [], load: () => import('./commands/auth-matrix.ts') },
  {
    path: 'audit list',
    arguments: [],
    options: [
      { name: 'since', value: { placeholder: 'WHEN', kind: 'text' } },
      { name: 'kind', value: { placeholder: 'KIND', kind: 'text', choices: auditKinds } },
      count('limit', 1_000_000),
    ],
    load: () => import('./commands/audit-list.ts'),
  },
  { path: 'audit verify', arguments: [], options: [], load: () => import('./commands/audit-verify.ts') },
  {
    path: 'logs',
    arguments: [{ name: 'names', required: false, variadic: true }],
    options: [
      { name: 'follow', short: 'f' },
      count('lines', 1_000_000, 'n'),
      {
        name: 'level',
        value: { placeholder: 'LEVEL', kind: 'text', choices: ['debug', 'info', 'warn', 'error'] },
      },
    ],
    streams: true,
    load: () => import('./commands/logs.ts'),
  },
  {
    path: 'health',
    arguments: [{ name: 'name', required: true }],
    options: [{ name: 'live' }, { name: 'ready' }, timeout],
    load: () => import('./commands/health.ts'),
  },
  { path: 'cert list', arguments: [], options: [], load: () => import('./commands/cert-list.ts') },
  {
    path: 'cert rotate',
    arguments: [{ name: 'name', required: false }],
    options: [{ name: 'all' }, { name: 'ca' }, timeout],
    load: () => import('./commands/cert-rotate.ts'),
  },
  {
    path: 'cert revoke',
    arguments: [{ name: 'name', required: true }],
    options: [{ name: 'no-restart' }],
    load: () => import('./commands/cert-revoke.ts'),
  },
  { path: 'trace', arguments: [id], options: [], load: () => import('./commands/trace.ts') },
  { path: 'doctor', arguments: [], options: [], load: () => import('./commands/doctor.ts') },
  { path: 'config print', arguments: [], options: [], load: () => import('./commands/config-print.ts') },
];
