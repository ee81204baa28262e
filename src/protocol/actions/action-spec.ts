import type { z } from 'zod';
import type { MessageType } from '../message.ts';

/** What one action is: how it travels, what it carries and what comes back. */
export interface ActionSpec {
  readonly type: MessageType;
  readonly summary: string;
  readonly payload: z.ZodObject;
  /** What the answer to a query, or the acknowledgement's result, looks like. */
  readonly reply?: z.ZodType;
  /** Set where it travels in a lane of its own, whatever its type and priority. */
  readonly lane?: 'control';
  /** Set where the schema is fixed but no handler is built. */
  readonly builtLater?: true;
  /** The permission that the receiver must hold to carry this out, where it is not its own domain. */
  readonly performs?: string;
}
