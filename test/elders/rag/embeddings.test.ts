import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { IndexStore } from '../../../src/elders/rag/indexing/index-store.ts';
import { type EmbeddingSettings, embed } from '../../../src/elders/rag/meaning/embeddings.ts';
import { SemanticSearch } from '../../../src/elders/rag/meaning/semantic.ts';
import { countVectors, embedSome } from '../../../src/elders/rag/meaning/vectors.ts';
import { Retriever } from '../../../src/elders/rag/retrieval/retriever.ts';
import type { SearchIndex } from '../../../src/elders/search/full-text/search-index.ts';
import { temporaryFolder } from '../../cli/elders-command.ts';

async function serve(t: TestContext, listener: RequestListener): Promise<EmbeddingSettings> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, model: 'm', protocol: 'ollama', timeoutMs: 10_000 };
}

/** A server whose answers are made of the texts; null: it refuses the request as servers do with a text that is too long. */
function ollama(t: TestContext, vectorOf: (text: string) => number[] | null): Promise<EmbeddingSettings> {
  return serve(t, async (request, response) => {
    const { input } = (await json(request)) as { input: string[] };
    const embeddings = input.map(vectorOf);
    if (embeddings.includes(null)) response.writeHead(400).end('{"error":"input is too long"}');
    else response.end(JSON.stringify({ embeddings }));
  });
}

test('what a server answers wrongly, late or not at all is told as what it is', async (t) => {
  const answers: Record<string, RequestListener> = {
    'answered 500: out of memory': (_, response) => response.writeHead(500).end('out of  memory'),
    'does not speak the protocol ollama': (_, response) => response.end('<html>'),
    'too few vectors or of different lengths': (_, response) => response.end('{"embeddings":[[1,2]]}'),
    'no answer within 50 ms': () => {},
    redirect: (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
    'other side closed': (_, response) => response.destroy(),
  };
  for (const [said, listener] of Object.entries(answers)) {
    const settings = await serve(t, listener);
    const timeoutMs = said.startsWith('no answer') ? 50 : 10_000;
    const reason = new RegExp(`embedding server.*${said}`, 's');
    await assert.rejects(embed({ ...settings, timeoutMs }, ['a', 'b']), reason);
  }
  const none = await serve(t, (_, response) => response.end('{"embeddings":[[3,4]]}'));
  assert.deepEqual(
    (await embed(none, ['a'])).map((vector) => [...vector]),
    [[Math.fround(0.6), Math.fround(0.8)]],
    'each has the length 1',
  );
  await assert.rejects(embed({ ...none, apiKeyFile: '/nowhere/key' }, ['a']), /key .*cannot be read/);
});

function indexOf(t: TestContext, texts: Record<string, string>): SearchIndex {
  const store = IndexStore.open(join(temporaryFolder(t), 'i.sqlite'));
  t.after(() => store.close());
  for (const [path, text] of Object.entries(texts)) {
    const chunks = [{ startLine: 1, endLine: 1, headingPath: [], innerHeadings: [], text }];
    store.index.put({ key: `/p/${path}`, path, title: path, chunks });
  }
  return store.index;
}

function search(index: SearchIndex, settings: EmbeddingSettings, others: number[] = []) {
  const semantic = new SemanticSearch(index, { settings, onOtherLength: (bytes) => others.push(bytes) });
  const retriever = new Retriever(index, { semantic });
  return async (query: string) => {
    const { method, reason, results } = await retriever.search(query, 5, { below: null, sources: ['/p'] });
    return { method, reason, found: results.map(({ relativePath }) => relativePath) };
  };
}

const feline = (text: string) => (/cat|kitten|猫/u.test(text) ? [1, 0.1, 0] : [0, 0.2, 1]);
const texts = { pets: 'The kitten purrs.', build: 'The build takes long.' };

test('a passage that the server refuses holds up none of the others', async (t) => {
  const index = indexOf(t, { ...texts, huge: 'UNWANTED' });
  const settings = await ollama(t, (text) => (text.includes('UNWANTED') ? null : feline(text)));
  assert.equal(await embedSome(index, settings), 3);
  assert.equal(await embedSome(index, settings), 0);
  assert.deepEqual({ ...countVectors(index, settings) }, { made: 2, refused: 1, passages: 3 });
  assert.equal((await search(index, settings)('猫')).found[0], 'pets');
  const refuser = await ollama(t, () => null);
  await assert.rejects(embedSome(indexOf(t, texts), refuser), /400: .*too long/);
});

test('vectors of another length are never compared: it is lexical, says so, and all are made anew', async (t) => {
  const index = indexOf(t, texts);
  const before = await ollama(t, feline);
  await embedSome(index, before);
  const after = await ollama(t, (text) => [...feline(text), 0.5]);
  const others: number[] = [];
  const find = search(index, after, others);
  const { method, reason, found } = await find('kitten');
  assert.deepEqual([method, found, others], ['lexical', ['pets'], [16]]);
  assert.match(reason ?? '', /another length/);
  index.put({
    key: '/p/new',
    path: 'new',
    title: 'new',
    chunks: [{ startLine: 1, endLine: 1, headingPath: [], innerHeadings: [], text: 'x' }],
  });
  while ((await embedSome(index, after)) > 0);
  assert.deepEqual({ ...countVectors(index, after) }, { made: 3, refused: 0, passages: 3 });
  assert.equal((await find('猫')).method, 'hybrid');
});

test('while the server is away searches are lexical at once, and it is not asked for each of them', async (t) => {
  const index = indexOf(t, texts);
  let isAway = false;
  let asked = 0;
  const settings = await serve(t, async (request, response) => {
    asked += 1;
    const { input } = (await json(request)) as { input: string[] };
    if (isAway) response.destroy();
    else response.end(JSON.stringify({ embeddings: input.map(feline) }));
  });
  await embedSome(index, settings);
  isAway = true;
  const before = asked;
  const find = search(index, settings);
  for (let round = 0; round < 3; round += 1) {
    const { method, reason, found } = await find('kitten');
    assert.deepEqual([method, found], ['lexical', ['pets']]);
    assert.match(reason ?? '', /embedding server/);
  }
  assert.equal(asked, before + 1);
});

test('what a query demands holds for what is found by meaning too', async (t) => {
  const index = indexOf(t, texts);
  const settings = await ollama(t, feline);
  await embedSome(index, settings);
  const find = search(index, settings);
  assert.deepEqual((await find('猫')).found, ['pets', 'build']);
  assert.deepEqual((await find('猫 -path:pets')).found, ['build']);
  assert.deepEqual(await find('path:pets'), { method: 'lexical', reason: null, found: ['pets'] });
});

test('the key of the server is read from its file', async (t) => {
  const path = join(temporaryFolder(t), 'key');
  writeFileSync(path, 'k1\n');
  let header: string | undefined;
  const settings = await serve(t, (request, response) => {
    header = request.headers.authorization;
    response.end('{"embeddings":[[1]]}');
  });
  await embed({ ...settings, apiKeyFile: path }, ['a']);
  assert.equal(header, 'Bearer k1');
});
