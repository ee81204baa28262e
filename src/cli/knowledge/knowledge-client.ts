import { ElderError, fromWireError } from '../../protocol/errors.ts';
import {
  type KnowledgeContent,
  type KnowledgeEntry,
  type KnowledgeInput,
  type KnowledgePutResult,
  knowledgeContent,
  maxKnowledgeBatch,
} from '../../protocol/knowledge.ts';
import type { GatewayClient } from '../connection/gateway-client.ts';

/** What one message carries, in bytes of JSON. */
const batchBytes = 400_000;
const putMs = 60_000;

/** Hands entries in, as many at once as fit a message. */
export async function putEntries(
  client: GatewayClient,
  inputs: readonly KnowledgeInput[],
  note: string,
): Promise<KnowledgePutResult[]> {
  const results: KnowledgePutResult[] = [];
  for (const entries of batches(inputs)) {
    const what = { entries, note };
    const answer = await client.ask('grand_elder', 'development.knowledge.put', what, { timeoutMs: putMs });
    results.push(...answer.results);
  }
  return results;
}

function* batches(inputs: readonly KnowledgeInput[]): Generator<KnowledgeInput[]> {
  let batch: KnowledgeInput[] = [];
  let bytes = 0;
  for (const input of inputs) {
    const size = Buffer.byteLength(JSON.stringify(input));
    if (batch.length >= maxKnowledgeBatch || (batch.length > 0 && bytes + size > batchBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(input);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

/** Hands one entry in. Throws why it was refused. */
export async function putEntry(
  client: GatewayClient,
  input: KnowledgeInput,
  note: string,
): Promise<KnowledgePutResult> {
  const [result] = await putEntries(client, [input], note);
  if (!result) throw new ElderError('internal', 'the knowledge sage gave no result');
  const { code, reason } = result;
  if (code !== null) throw fromWireError({ code, reason: reason ?? '' });
  return result;
}

/** Gives every entry, by id. */
export async function* allEntries(client: GatewayClient): AsyncGenerator<KnowledgeEntry> {
  for (let after = ''; ; ) {
    const page = await client.ask('knowledge_sage', 'sage.knowledge.list', { all: true, limit: 500, after });
    yield* page.entries;
    const last = page.entries.at(-1);
    if (!page.more || !last) return;
    after = last.id;
  }
}

/** Leaves of an entry what its author says. */
export function contentOf(entry: KnowledgeEntry): KnowledgeContent {
  return knowledgeContent.parse(entry);
}
