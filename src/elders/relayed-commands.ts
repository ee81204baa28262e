import type { Core, Handler } from '../agents/core.ts';
import { relay } from '../agents/relay.ts';
import type { Action } from '../protocol/actions.ts';

/** What a human orders of a sage: it goes by the grand elder and the claude elder, and its answer the same way back. */
export const relayedCommands = {
  'development.task.add': { target: 'task_sage', action: 'sage.task.add' },
  'development.task.control': { target: 'task_sage', action: 'sage.task.control' },
  'development.knowledge.put': { target: 'knowledge_sage', action: 'sage.knowledge.put' },
  'development.knowledge.forget': { target: 'knowledge_sage', action: 'sage.knowledge.forget' },
  'development.rag.index': { target: 'rag_sage', action: 'sage.rag.index' },
  'development.rag.forget': { target: 'rag_sage', action: 'sage.rag.forget' },
} as const satisfies Partial<Record<Action, { target: string; action: Action }>>;

type RelayedCommand = keyof typeof relayedCommands;

/** Gives the handlers that pass each of these commands on; its payload is the same all the way. */
export function relayHandlers(
  next: (command: RelayedCommand) => { target: string; action: Action },
): Core['handlers'] {
  const commands = Object.keys(relayedCommands) as RelayedCommand[];
  const handlers = commands.map((command): [RelayedCommand, Handler<RelayedCommand>] => [
    command,
    (ctx, received) => {
      const { target, action } = next(command);
      relay(ctx, received, target, action, received.payload as never);
    },
  ]);
  return Object.fromEntries(handlers);
}
