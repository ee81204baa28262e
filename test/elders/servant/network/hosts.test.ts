import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { findAllowedHost, hostsBeyond } from '../../../../src/protocol/network-host.ts';
import { printed, workbench } from '../execution/workbench.ts';

async function webServer(t: TestContext): Promise<number> {
  const server = createServer((incoming, response) => response.end(`${incoming.method} ${incoming.url}`));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Asks by plain HTTP and by CONNECT, as the variables say, and directly. */
const asks = (url: string) => `
  node -e '
    const http = require("node:http");
    const target = new URL(process.argv[1]);
    const proxy = new URL(process.env.http_proxy ?? "http://127.0.0.1:9");
    const say = (way) => (text) => console.log(way, text);
    const get = (way, options) => new Promise((done) => {
      const sent = http.request(options, async (answer) => {
        let text = ""; for await (const chunk of answer) text += chunk;
        say(way)(answer.statusCode + " " + text.trim()); done();
      });
      sent.on("error", (error) => { say(way)(error.code); done(); });
      sent.on("connect", (answer, socket) => {
        if (answer.statusCode !== 200) { say(way)(answer.statusCode); socket.destroy(); return done(); }
        socket.write("GET /tunnelled HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n");
        let text = ""; socket.on("data", (chunk) => (text += chunk));
        socket.on("close", () => { say(way)(text.split("\\r\\n\\r\\n")[1].split("\\r\\n").at(-1)); done(); });
      });
      sent.end();
    });
    (async () => {
      await get("proxied", { host: proxy.hostname, port: proxy.port, path: target.href });
      await get("connect", { host: proxy.hostname, port: proxy.port, method: "CONNECT", path: target.host });
      await get("direct", { host: "127.0.0.1", port: target.port, path: "/" });
    })();' ${url}`;

test('a command reaches the hosts it may, by the proxy alone', async (t) => {
  const { run, options } = workbench(t);
  const port = await webServer(t);
  const refused: string[] = [];
  const { sandbox } = options('true');
  assert.ok(sandbox.kind === 'bubblewrap');
  const hosts = (...names: string[]) => ({
    sandbox: { ...sandbox, hosts: names, onRefusedHost: (host: string) => void refused.push(host) },
  });
  const allowed = await run(asks(`http://localhost:${port}/page`), hosts(`localhost:${port}`));
  assert.equal(allowed.outcome, 'succeeded', `${allowed.reason} ${printed(allowed)}`);
  assert.equal(printed(allowed), 'proxied 200 GET /page\nconnect GET /tunnelled\ndirect ECONNREFUSED\n');
  assert.deepEqual(refused, []);

  const other = await run(asks(`http://localhost:${port}/page`), hosts('registry.example.com'));
  assert.equal(
    printed(other),
    `proxied 403 localhost:${port} is not among the hosts of this task\nconnect 403\ndirect ECONNREFUSED\n`,
  );
  assert.deepEqual(refused, [`localhost:${port}`, `localhost:${port}`]);
  const open = await run(asks(`http://localhost:${port}/page`), { sandbox: { ...sandbox, network: true } });
  assert.match(printed(open), /direct 200/, 'control: with the network it needs no proxy');
});

test('a name of the network that leads to this host itself is refused', async (t) => {
  const { run, options } = workbench(t);
  const port = await webServer(t);
  const { sandbox } = options('true');
  assert.ok(sandbox.kind === 'bubblewrap');
  // The name of any host will do; this one is looked up without a name server.
  const name = `ip6-loopback:${port}`;
  const result = await run(asks(`http://${name}/page`), { sandbox: { ...sandbox, hosts: [name] } });
  assert.match(printed(result), /^proxied (403|502) /);
  assert.doesNotMatch(printed(result), /GET/);
});

test('hosts are allowed by name, by a wildcard for what is below it, and by port', () => {
  const allowed = ['registry.npmjs.org', '*.example.com', 'localhost:8080'];
  assert.equal(findAllowedHost(allowed, 'Registry.npmjs.org', 443), 'registry.npmjs.org');
  assert.equal(findAllowedHost(allowed, 'a.b.example.com', 80), '*.example.com');
  for (const [name, port] of [
    ['example.com', 443],
    ['evil-example.com', 443],
    ['registry.npmjs.org', 22],
    ['registry.npmjs.org.evil.net', 443],
    ['localhost', 6379],
  ] as const) {
    assert.equal(findAllowedHost(allowed, name, port), undefined, name);
  }
  assert.deepEqual(hostsBeyond(['registry.npmjs.org', 'a.example.com', 'b.net', 'localhost'], allowed), [
    'b.net',
    'localhost',
  ]);
});
