import type { Core } from '../../agents/core.ts';

/** The RAG sage: a process with its place in the tree; every request is answered `not_implemented` until it indexes. */
export function ragSage(): Core {
  return { handlers: {} };
}
