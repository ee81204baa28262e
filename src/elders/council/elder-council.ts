import type { Core } from '../../agents/core.ts';

/** The elder council: a process with its place in the tree; every request is answered `not_implemented` until it votes. */
export function elderCouncil(): Core {
  return { handlers: {} };
}
