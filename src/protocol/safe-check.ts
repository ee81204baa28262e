import type { z } from 'zod';

/** A value that fits its schema, or the first place where it does not. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };

/** Checks a value that anybody may have made. It never throws. */
export function safeCheck<S extends z.ZodType>(schema: S, value: unknown): Checked<z.output<S>> {
  let parsed: z.ZodSafeParseResult<z.output<S>>;
  try {
    parsed = schema.safeParse(value);
  } catch (cause) {
    // zod compares the length of whatever has one, and stumbles over `{"length": {"valueOf": 1}}`.
    return {
      ok: false,
      reason: `cannot be checked: ${cause instanceof Error ? cause.message : String(cause)}`,
    };
  }
  if (parsed.success) return { ok: true, value: parsed.data };
  const [issue] = parsed.error.issues;
  const place = issue?.path.join('.') ?? '';
  return { ok: false, reason: `${place === '' ? '' : `${place}: `}${issue?.message ?? 'not valid'}` };
}
