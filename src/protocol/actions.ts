import type { z } from 'zod';
import type { ActionSpec } from './actions/action-spec.ts';
import { councilActions } from './actions/council.ts';
import { directiveActions } from './actions/directive.ts';
import { elderActions } from './actions/elder.ts';
import { incidentActions } from './actions/incident.ts';
import { knowledgeActions } from './actions/knowledge.ts';
import { oversightActions } from './actions/oversight.ts';
import { ragActions } from './actions/rag.ts';
import { replyActions } from './actions/reply.ts';
import { servantActions } from './actions/servant.ts';
import { taskActions } from './actions/task.ts';

/** Every action that a message can carry. */
export const actions = {
  ...elderActions,
  ...oversightActions,
  ...directiveActions,
  ...knowledgeActions,
  ...taskActions,
  ...servantActions,
  ...incidentActions,
  ...ragActions,
  ...councilActions,
  ...replyActions,
} as const satisfies Record<string, ActionSpec>;

export type Action = keyof typeof actions;
export type PayloadOf<A extends Action> = z.output<(typeof actions)[A]['payload']>;
export type PayloadInput<A extends Action> = z.input<(typeof actions)[A]['payload']>;
export type ReplyOf<A extends Action> = (typeof actions)[A] extends { reply: infer R extends z.ZodType }
  ? z.output<R>
  : never;

/** An incident as it is raised; equal fingerprints are one incident. */
export type IncidentReport = PayloadOf<'incident.raise'>;
/** An incident as the incident sage keeps it. Times are ms since the epoch. */
export type IncidentRecord = ReplyOf<'sage.incident.list'>['incidents'][number];
/** A piece of knowledge that an elder writes. */
export type KnowledgeDraft = PayloadOf<'sage.knowledge.store'>;
/** What one finished attempt came to, told by the servant. */
export type AttemptResult = PayloadOf<'report.to_sage.attempt_finished'>;
/** What a person wants of a task, or of all tasks of a directive. */
export type TaskOrder = PayloadOf<'sage.task.control'>;

/** Tells whether a string names an action of the table. */
export function isAction(name: string): name is Action {
  return Object.hasOwn(actions, name);
}

/** Gives the spec of an action with its optional fields visible. */
export function actionSpec(action: Action): ActionSpec {
  return actions[action];
}
