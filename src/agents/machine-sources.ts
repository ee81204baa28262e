import { randomUUID } from 'node:crypto';
import { systemClock } from '../messaging/clock.ts';
import type { AgentOptions } from './agent-options.ts';

/** Time, chance and ids as an agent gets them in a process of its own; a simulation gives it others. */
export const machineSources: Pick<AgentOptions, 'clock' | 'random' | 'newId'> = {
  clock: systemClock,
  random: Math.random,
  newId: randomUUID,
};
