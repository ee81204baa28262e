import type { z } from 'zod';
import { parseBoundedJson } from './bounded-json.ts';
import { asElderError, ElderError, type ErrorCode } from './errors.ts';
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
 * throws `too_large`, and `refusal` for what is no JSON, too deep, or does not fit the schema.
 */
export function bodyReader(
  chunks: AsyncIterable<Uint8Array>,
  { bodyBytes, depth }: Pick<PortLimits, 'bodyBytes' | 'depth'>,
  refusal: ErrorCode,
): BodyReader {
  return async (schema) => {
    const text = await readBounded(chunks, bodyBytes);
    const checked = safeCheck(schema, parse(text === '' ? '{}' : text, depth, refusal));
    if (!checked.ok) throw new ElderError(refusal, checked.reason);
    return checked.value;
  };
}

function parse(text: string, depth: number, refusal: ErrorCode): unknown {
  try {
    return parseBoundedJson(text, depth);
  } catch (cause) {
    throw new ElderError(refusal, asElderError(cause).reason, { cause });
  }
}
