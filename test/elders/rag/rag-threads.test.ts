import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { json } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import type { ThreadSettings } from '../../../src/elders/rag/indexing/messages.ts';
import type { SourceReport } from '../../../src/elders/rag/indexing/source-report.ts';
import { RagThreads } from '../../../src/elders/rag/rag-threads.ts';
import type { RagAnswer } from '../../../src/protocol/rag.ts';

/** Threads over a folder of their own, with what they tell to wait for. */
class Sage {
  readonly events = new EventEmitter();
  readonly threads: RagThreads;
  readonly warnings: string[] = [];

  constructor(settings: Pick<ThreadSettings, 'indexPath'> & Partial<ThreadSettings>) {
    this.threads = new RagThreads(
      { maxFileBytes: 1_000_000, embeddings: null, ...settings },
      {
        onReport: (report) => this.events.emit('report', report),
        onForgotten: (path) => this.events.emit('forgotten', path),
        onAnswer: (id, answer) => this.events.emit(id, answer),
        warn: (fields, text) => this.warnings.push(`${text} ${JSON.stringify(fields)}`),
      },
    );
  }

  /** The next report that says that all is indexed, and that meets the condition. */
  async ready(meets: (report: SourceReport) => boolean = () => true): Promise<SourceReport> {
    for (;;) {
      const [report] = (await once(this.events, 'report')) as [SourceReport];
      if (report.state !== 'indexing' && meets(report)) return report;
    }
  }

  async search(query: string, source: string): Promise<RagAnswer> {
    const id = `${Math.random()}`;
    this.threads.ask({ id, kind: 'search', query, limit: 5, below: null, sources: [source] });
    const [answer] = await once(this.events, id);
    assert.ok('result' in answer, JSON.stringify(answer));
    return answer.result;
  }

  async found(query: string, source: string): Promise<string[]> {
    return (await this.search(query, source)).results.map(({ relativePath }) => relativePath);
  }
}

function place(t: TestContext): { root: string; indexPath: string } {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'elders-rag-')));
  t.after(() => rmSync(base, { recursive: true, force: true }));
  const root = join(base, 'tree');
  mkdirSync(join(root, 'docs'), { recursive: true });
  writeFileSync(
    join(root, 'docs/guide.md'),
    '# Guide\n\nThe aardvark sleeps.\n\n## 障害対応\n\n障害が起きたら再起動する。\n',
  );
  writeFileSync(join(root, 'main.ts'), 'export function startEngine() {\n  return "vroom";\n}\n');
  return { root, indexPath: join(base, 'index', 'index.sqlite') };
}

function open(t: TestContext, settings: Pick<ThreadSettings, 'indexPath'> & Partial<ThreadSettings>): Sage {
  const sage = new Sage(settings);
  t.after(() => sage.threads.close());
  return sage;
}

test('a folder is indexed, kept up to date, and forgotten', async (t) => {
  const { root, indexPath } = place(t);
  const sage = open(t, { indexPath });
  const first = sage.ready();
  sage.threads.index(root);
  assert.equal((await first).files, 2);
  const [hit] = (await sage.search('障害', root)).results;
  assert.deepEqual([hit?.relativePath, hit?.path], ['docs/guide.md', join(root, 'docs/guide.md')]);
  assert.ok(hit && hit.startLine <= 7 && hit.endLine >= 5);
  assert.equal((await sage.found('start engine', root))[0], 'main.ts');

  let next = sage.ready(({ changed }) => changed > 0);
  mkdirSync(join(root, 'new/deep'), { recursive: true });
  writeFileSync(join(root, 'new/deep/wombat.txt'), 'a wombat digs');
  appendFileSync(join(root, 'main.ts'), '// numbat\n');
  await next;
  // It may come in a report of its own, which is past by the time the answer is here.
  while ((await sage.found('wombat', root)).length === 0);
  assert.deepEqual(await sage.found('wombat', root), ['new/deep/wombat.txt']);

  next = sage.ready(({ files }) => files === 2);
  rmSync(join(root, 'new'), { recursive: true });
  await next;
  assert.deepEqual(await sage.found('wombat', root), []);

  const forgotten = once(sage.events, 'forgotten');
  sage.threads.forget(root);
  await forgotten;
  assert.deepEqual(await sage.found('aardvark', root), []);
});

test('a new start reads only what has changed meanwhile', async (t) => {
  const { root, indexPath } = place(t);
  const before = open(t, { indexPath });
  const first = before.ready();
  before.threads.index(root);
  await first;
  await before.threads.close();
  writeFileSync(join(root, 'main.ts'), 'export const quokka = 1;\n');
  rmSync(join(root, 'docs'), { recursive: true });
  const sage = open(t, { indexPath });
  const again = sage.ready();
  sage.threads.index(root);
  const report = await again;
  assert.deepEqual([report.files, report.changed], [1, 2]);
  assert.deepEqual(await sage.found('quokka', root), ['main.ts']);
  assert.deepEqual(await sage.found('aardvark', root), []);
});

test('an index that is damaged, of another version or gone is made anew by itself', async (t) => {
  const { root, indexPath } = place(t);
  const before = open(t, { indexPath });
  const first = before.ready();
  before.threads.index(root);
  const whole = await first;
  await before.threads.close();
  truncateSync(indexPath, 20_000);
  const sage = open(t, { indexPath });
  const again = sage.ready();
  sage.threads.index(root);
  assert.equal((await again).changed, whole.files, 'all of it is read again');
  assert.deepEqual(await sage.found('aardvark', root), ['docs/guide.md']);

  // As another version of this program, or of its Japanese dictionary, has left it.
  await sage.threads.close();
  const database = new DatabaseSync(indexPath);
  database.exec("UPDATE meta SET value = 'older' WHERE name = 'version'");
  database.close();
  const newer = open(t, { indexPath });
  const rebuilt = newer.ready();
  newer.threads.index(root);
  assert.equal((await rebuilt).changed, whole.files);
  assert.match(newer.warnings.join(), /made anew .*version/);
  assert.deepEqual(await newer.found('aardvark', root), ['docs/guide.md']);

  const anew = newer.ready(({ changed }) => changed === whole.files);
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${indexPath}${suffix}`, { force: true });
  await anew;
  assert.deepEqual(await newer.found('aardvark', root), ['docs/guide.md']);
});

/** A server that speaks both protocols: texts about felines are near each other, whatever their words. */
async function embeddingServer(t: TestContext): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const vectorOf = (text: string) => (/cat|kitten|猫/u.test(text) ? [1, 0.1, 0] : [0, 0.2, 1]);
  const server = createServer(async (request, response) => {
    const { input, model } = (await json(request)) as { input: string[]; model: string };
    asked.push(`${request.url} ${model} ${request.headers.authorization ?? '-'}`);
    const body =
      request.url === '/api/embed'
        ? { embeddings: input.map(vectorOf) }
        : { data: input.map((text, index) => ({ index, embedding: vectorOf(text) })).toReversed() };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

for (const protocol of ['openai', 'ollama'] as const) {
  test(`with a server of the protocol ${protocol} what means the same is found; without one it is lexical and says so`, async (t) => {
    const { root, indexPath } = place(t);
    writeFileSync(join(root, 'pets.md'), '# Pets\n\nThe kitten purrs.\n');
    const keyFile = join(root, '..', 'key');
    writeFileSync(keyFile, 'k123\n');
    const server = await embeddingServer(t);
    const embeddings = { url: server.url, model: 'm', protocol, timeoutMs: 5_000, apiKeyFile: keyFile };
    const sage = open(t, { indexPath, embeddings });
    const first = sage.ready();
    sage.threads.index(root);
    await first;
    let answer = await sage.search('猫', root);
    while (answer.results[0]?.relativePath !== 'pets.md') answer = await sage.search('猫', root);
    assert.equal(answer.method, 'hybrid');
    assert.deepEqual(answer.results[0]?.ranks, { lexical: null, vector: 1 });
    assert.equal(server.asked[0], `${protocol === 'openai' ? '/embeddings' : '/api/embed'} m Bearer k123`);
    await sage.threads.close();

    const away = open(t, { indexPath, embeddings: { ...embeddings, url: 'http://127.0.0.1:9' } });
    const lexical = await away.search('kitten', root);
    assert.equal(lexical.method, 'lexical');
    assert.match(lexical.reason ?? '', /embedding server/);
    assert.deepEqual(
      lexical.results.map(({ relativePath }) => relativePath),
      ['pets.md'],
    );
  });
}
