import type { CommandSpec, OptionSpec } from './command-spec.ts';
import { askCommands } from './commands/ask/table.ts';
import { diagnosisCommands } from './commands/diagnosis/table.ts';
import { directiveCommands } from './commands/directive/table.ts';
import { knowledgeCommands } from './commands/knowledge/table.ts';
import { messageCommands } from './commands/message/table.ts';
import { oversightCommands } from './commands/oversight/table.ts';
import { processCommands } from './commands/processes/table.ts';
import { ragCommands } from './commands/rag/table.ts';
import { taskCommands } from './commands/task/table.ts';
import { treeCommands } from './commands/tree/table.ts';

/** Options that every command takes. */
export const globalOptions: readonly OptionSpec[] = [
  { name: 'json' },
  { name: 'project', value: { placeholder: 'DIR', kind: 'text' } },
  { name: 'lang', value: { placeholder: 'LANG', kind: 'text', choices: ['en', 'ja'] } },
  { name: 'no-color' },
];

/** Every command, in the order of the help. */
export const commandTable: readonly CommandSpec[] = [
  ...treeCommands,
  ...directiveCommands,
  ...taskCommands,
  ...askCommands,
  ...ragCommands,
  ...knowledgeCommands,
  ...messageCommands,
  ...oversightCommands,
  ...processCommands,
  ...diagnosisCommands,
];
