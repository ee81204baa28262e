import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { ElderError } from '../../../src/protocol/errors.ts';
import { describePortHolder } from '../../../src/supervision/manager/port-holder.ts';
import { requireFreePorts } from '../../../src/supervision/manager/preflight.ts';
import { freePort } from '../../support/free-port.ts';

async function listen(host: string) {
  const port = await freePort();
  const server = createServer().listen(port, host);
  await once(server, 'listening');
  return { server, port };
}

const name = readFileSync('/proc/self/comm', 'utf8').trim();

for (const host of ['127.0.0.1', '::1']) {
  test(`names the process that listens on ${host}, and nobody when it is gone`, async () => {
    const { server, port } = await listen(host);
    assert.equal(await describePortHolder(port), `${name} (pid ${process.pid})`);
    server.close();
    await once(server, 'close');
    assert.equal(await describePortHolder(port), null);
  });
}

test('the preflight names every port that is taken, for whom it was and who holds it', async () => {
  const taken = await listen('127.0.0.1');
  const free = await listen('127.0.0.1');
  free.server.close();
  await once(free.server, 'close');
  const needed = [
    { name: 'grand_elder', port: taken.port },
    { name: 'claude_elder', port: free.port },
  ];
  await assert.rejects(requireFreePorts('127.0.0.1', needed), (error) => {
    assert.ok(error instanceof ElderError);
    assert.equal(error.code, 'port_taken');
    assert.equal(error.reason, `${taken.port} (for grand_elder) is held by ${name} (pid ${process.pid})`);
    return true;
  });
  taken.server.close();
  await once(taken.server, 'close');
  await requireFreePorts('127.0.0.1', needed);
});

test('an address that is not of this host is a fault of the configuration', async () => {
  await assert.rejects(requireFreePorts('192.0.2.1', [{ name: 'grand_elder', port: 5000 }]), {
    code: 'config_invalid',
  });
});
