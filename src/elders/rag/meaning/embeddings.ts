import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ElderError } from '../../../protocol/errors.ts';

/** A server that turns texts into vectors. */
export interface EmbeddingSettings {
  readonly url: string;
  readonly model: string;
  readonly protocol: 'openai' | 'ollama';
  readonly apiKeyFile?: string | undefined;
  readonly timeoutMs: number;
}

const openAiAnswer = z.object({
  data: z.array(z.object({ index: z.int().min(0), embedding: z.array(z.number()).min(1) })),
});
const ollamaAnswer = z.object({ embeddings: z.array(z.array(z.number()).min(1)) });

function endpoint({ url, protocol }: EmbeddingSettings): string {
  const base = url.replace(/\/+$/u, '');
  const path = protocol === 'ollama' ? '/api/embed' : '/embeddings';
  return base.endsWith(path) ? base : `${base}${path}`;
}

function keyOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    const reason = `the key of the embedding server cannot be read: ${(cause as Error).message}`;
    throw new ElderError('not_found', reason, { cause });
  }
}

/**
 * Asks a server for the vectors of texts, each of length 1. Throws `timed_out` where it is away, `malformed` for a refusal or a
 * wrong answer, and `not_found` without the file of its key.
 */
export async function embed(settings: EmbeddingSettings, texts: readonly string[]): Promise<Float32Array[]> {
  const { model, protocol, apiKeyFile, timeoutMs } = settings;
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (apiKeyFile !== undefined) headers.authorization = `Bearer ${keyOf(apiKeyFile)}`;
  let response: Response;
  let text: string;
  try {
    response = await fetch(endpoint(settings), {
      method: 'POST',
      headers,
      body: JSON.stringify({
        model,
        input: texts,
        ...(protocol === 'openai' && { encoding_format: 'float' }),
      }),
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
    });
    text = await response.text();
  } catch (error) {
    const { name, message, cause } = error as Error;
    const reason =
      name === 'TimeoutError'
        ? `no answer within ${timeoutMs} ms`
        : `${message}${cause ? `: ${(cause as Error).message}` : ''}`;
    throw new ElderError('timed_out', `the embedding server: ${reason}`);
  }
  if (!response.ok) {
    const said = text.replaceAll(/\s+/gu, ' ').slice(0, 200);
    throw new ElderError('malformed', `the embedding server answered ${response.status}: ${said}`);
  }
  const body = jsonOf(text);
  const vectors = protocol === 'ollama' ? fromOllama(body) : fromOpenAi(body);
  if (vectors.length !== texts.length || vectors.some((vector) => vector.length !== vectors[0]?.length)) {
    throw new ElderError(
      'malformed',
      'the embedding server answered with too few vectors or of different lengths',
    );
  }
  return vectors.map(normalized);
}

/** What is no JSON is no answer of either protocol. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fromOpenAi(body: unknown): number[][] {
  const parsed = openAiAnswer.safeParse(body);
  if (!parsed.success)
    throw new ElderError('malformed', 'the embedding server does not speak the protocol openai');
  return parsed.data.data.toSorted((a, b) => a.index - b.index).map(({ embedding }) => embedding);
}

function fromOllama(body: unknown): number[][] {
  const parsed = ollamaAnswer.safeParse(body);
  if (!parsed.success)
    throw new ElderError('malformed', 'the embedding server does not speak the protocol ollama');
  return parsed.data.embeddings;
}

function normalized(values: readonly number[]): Float32Array {
  const vector = Float32Array.from(values);
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? vector : vector.map((value) => value / length);
}
