import type { ChaosLane } from './intent.ts';

/** Edges of the real table that carry the messages: who sends to whom. */
export const flows = [
  { source: 'servant_1', target: 'task_sage' },
  { source: 'servant_2', target: 'task_sage' },
  { source: 'claude_elder', target: 'knowledge_sage' },
] as const;

export const producers: readonly string[] = flows.map((flow) => flow.source);
export const consumers: readonly string[] = [...new Set(flows.map((flow) => flow.target))];
export const servantCount = 2;

/** Gives whom a producer writes to. */
export function targetOf(source: string): string {
  const flow = flows.find((candidate) => candidate.source === source);
  if (!flow) throw new Error(`${source} produces nothing`);
  return flow.target;
}

/** Priority by which a message gets into a lane. */
export const priorityOf: Readonly<Record<ChaosLane, number>> = { normal: 5, high: 9 };
