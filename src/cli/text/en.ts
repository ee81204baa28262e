import { ask } from './en/ask.ts';
import { diagnosis } from './en/diagnosis.ts';
import { directive } from './en/directive.ts';
import { help } from './en/help.ts';
import { knowledge } from './en/knowledge.ts';
import { message } from './en/message.ts';
import { oversight } from './en/oversight.ts';
import { processes } from './en/processes.ts';
import { rag } from './en/rag.ts';
import { task } from './en/task.ts';
import { tree } from './en/tree.ts';

/** Everything that `elders` says to people, in English: a file for each group of commands. `ja.ts` has the same shape. */
export const en = {
  ...help,
  groups: {
    ...directive.groups,
    ...task.groups,
    ...knowledge.groups,
    ...rag.groups,
    ...message.groups,
    ...oversight.groups,
    ...processes.groups,
    ...diagnosis.groups,
  },
  commands: {
    ...tree.commands,
    ...directive.commands,
    ...task.commands,
    ...ask.commands,
    ...knowledge.commands,
    ...rag.commands,
    ...message.commands,
    ...oversight.commands,
    ...processes.commands,
    ...diagnosis.commands,
  },
  ...tree.texts,
  ...directive.texts,
  ...task.texts,
  ...ask.texts,
  ...knowledge.texts,
  ...rag.texts,
  ...message.texts,
  ...oversight.texts,
  ...processes.texts,
  ...diagnosis.texts,
};

/** The shape of a catalog. */
export type Catalog = typeof en;
