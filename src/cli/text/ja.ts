import type { Catalog } from './en.ts';
import { ask } from './ja/ask.ts';
import { diagnosis } from './ja/diagnosis.ts';
import { directive } from './ja/directive.ts';
import { help } from './ja/help.ts';
import { knowledge } from './ja/knowledge.ts';
import { message } from './ja/message.ts';
import { oversight } from './ja/oversight.ts';
import { processes } from './ja/processes.ts';
import { rag } from './ja/rag.ts';
import { task } from './ja/task.ts';
import { tree } from './ja/tree.ts';

/** Everything that `elders` says to people, in Japanese. */
export const ja: Catalog = {
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
