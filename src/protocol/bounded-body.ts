import { ElderError } from './errors.ts';

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
