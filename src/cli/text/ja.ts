import { catalogOf } from './catalog.ts';
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
export const ja = catalogOf({
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
