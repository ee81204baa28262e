import { catalogOf } from './catalog.ts';
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

/** Everything that `elders` says to people, in English. */
export const en = catalogOf({
  help,
  tree,
  directive,
  task,
  ask,
  knowledge,
  rag,
  message,
  oversight,
  processes,
  diagnosis,
});
