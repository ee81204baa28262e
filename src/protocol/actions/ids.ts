import { z } from 'zod';

/** The id of a directive, as it may also stand in file names. */
export const directiveId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'expected letters, digits, _ and -');

/** The id under which a servant holds a task. */
export const leaseId = z.string().min(1).max(128);
