import type { z } from 'zod';
import { parseBoundedJson } from './bounded-json.ts';
import { ElderError, type ErrorCode } from './errors.ts';
import type { PortLimits } from './limits.ts';
import { safeCheck } from './safe-check.ts';

/** Reads the body of one request as what a schema says, within the limits of the port that it came to. */
export type BodyReader = <S extends z.ZodType>(schema: S) => Promise<z.output<S>>;

/** Gathers the body of a request as UTF-8 text. Throws `too_large` as soon as it has more than `maxBytes`. */
export async function readBounded(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const gathered: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > maxBytes) throw new ElderError('too_large', `a body has at most ${maxBytes} bytes`);
    gathered.push(chunk);
  }
  return Buffer.concat(gathered).toString('utf8');
}

/**
 * Gives what reads the body of a request that came to a port with these limits; without any it is `{}`. What that gives
 * throws `too_large`, `malformed` for no JSON or too deep a one, and `refusal` where the schema does not fit.
 */
export function bodyReader(
  chunks: AsyncIterable<Uint8Array>,
  { bodyBytes, depth }: Pick<PortLimits, 'bodyBytes' | 'depth'>,
  refusal: ErrorCode,
): BodyReader {
  return async (schema) => {
    const text = await readBounded(chunks, bodyBytes);
    const checked = safeCheck(schema, parseBoundedJson(text === '' ? '{}' : text, depth));
    if (!checked.ok) throw new ElderError(refusal, checked.reason);
    return checked.value;
  };
}
