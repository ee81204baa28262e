import type { ask } from './en/ask.ts';
import type { diagnosis } from './en/diagnosis.ts';
import type { directive } from './en/directive.ts';
import type { help } from './en/help.ts';
import type { knowledge } from './en/knowledge.ts';
import type { message } from './en/message.ts';
import type { oversight } from './en/oversight.ts';
import type { processes } from './en/processes.ts';
import type { rag } from './en/rag.ts';
import type { task } from './en/task.ts';
import type { tree } from './en/tree.ts';

/** The texts of one language: the frame of every help, and a part for each group of commands. */
interface CatalogParts {
  readonly help: typeof help;
  readonly tree: typeof tree;
  readonly directive: typeof directive;
  readonly task: typeof task;
  readonly ask: typeof ask;
  readonly knowledge: typeof knowledge;
  readonly rag: typeof rag;
  readonly message: typeof message;
  readonly oversight: typeof oversight;
  readonly processes: typeof processes;
  readonly diagnosis: typeof diagnosis;
}

/** Everything that `elders` says to people in one language. */
export type Catalog = ReturnType<typeof catalogOf>;

/** Puts the parts of a catalog together. */
export function catalogOf({ help, ...parts }: CatalogParts) {
  const { tree, directive, task, ask, knowledge, rag, message, oversight, processes, diagnosis } = parts;
  return {
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
}
