import type { LoadedConfig } from '../config/load-config.ts';
import type { Session } from '../session.ts';

/** What is checked, in the order of the report. */
export const checkNames = [
  'node',
  'redis',
  'git',
  'sandbox',
  'isolation',
  'config',
  'folder',
  'ports',
  'fsync',
  'clock',
] as const;
export type CheckName = (typeof checkNames)[number];

/** What a check found; the detail is in English and names versions, paths, numbers. */
export interface Finding {
  readonly state: 'ok' | 'warn' | 'fail';
  readonly detail: string;
}

/** What checks look at; `loaded` is `null` where the configuration is not valid. */
export interface Surroundings {
  readonly session: Session;
  readonly loaded: LoadedConfig | null;
}

export type Check = (surroundings: Surroundings) => Promise<Finding>;
