import type { MessageType } from './message.ts';

/** Lanes of an edge, most urgent first; each is a stream of its own, so an emergency passes any backlog. */
export const lanes = ['control', 'high', 'normal', 'low'] as const;
export type Lane = (typeof lanes)[number];

/**
 * How many messages of each lane one read window takes while all lanes are full.
 * The low lane keeps 4 of 64 (6 %), so a flood of urgent work never starves it.
 */
export const laneQuota: Readonly<Record<Lane, number>> = { control: 24, high: 24, normal: 12, low: 4 };

/** The most messages that one commit handles. */
export const readWindow = 64;

/** Gives the lane that a message travels in: emergencies in `control`, the rest by priority (1–10). */
export function laneOf(type: MessageType, priority: number): Lane {
  if (type === 'emergency') return 'control';
  if (priority >= 8) return 'high';
  return priority >= 4 ? 'normal' : 'low';
}
