import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Events } from '../../src/gateway/events.ts';
import { Gateway } from '../../src/gateway/gateway.ts';
import { GatewayServer } from '../../src/gateway/gateway-server.ts';
import { type PortLimits, portLimits } from '../../src/protocol/limits.ts';
import { gatewayRoutes } from '../../src/protocol/local-api.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import {
  beginSlowly,
  checkConnections,
  checkControls,
  checkRate,
  checkSizes,
  checkTimes,
  type LimitedSocket,
} from '../support/socket-limits.ts';

/** A gateway's socket with the limits given. */
async function open(context: TestContext, change: Partial<PortLimits>): Promise<LimitedSocket> {
  const folder = await mkdtemp(join(tmpdir(), 'elders-gw-'));
  const log = createLogger({
    name: 'g',
    level: 'error',
    file: join(folder, 'g.log'),
    maxBytes: 1e6,
    files: 1,
  });
  const limits = { ...portLimits.gateway, ...change };
  const server = new GatewayServer(new Gateway(), new Events(), log, limits);
  const path = join(folder, 'g.sock');
  await server.listen(path);
  context.after(async () => {
    await server.close();
    log.close();
    await rm(folder, { recursive: true });
  });
  return { path, limits, post: gatewayRoutes.ask.path };
}

test('the gateway ends what is too large, too deep or too slow', async (context) => {
  await checkSizes(await open(context, { bodyBytes: 50_000 }));
  await checkTimes(await open(context, { headersMs: 1_000, requestMs: 1_500 }));
});

test('the gateway takes so many connections and no more', async (context) => {
  await checkConnections(await open(context, { connections: 5, headersMs: 0, requestMs: 0 }));
});

test('the gateway takes so many requests and no more', async (context) => {
  await checkRate(await open(context, { rate: 0.001, burst: 3 }));
});

test('control: without these limits the checks find the gateway open', async (context) => {
  await checkControls((change) => open(context, change));
  const unlimited = await open(context, { headersMs: 0, requestMs: 0 });
  const slow = await beginSlowly(unlimited);
  context.after(() => slow.close());
  // Where the limits are on, two that began later are ended in the meantime, one after the other.
  await checkTimes(await open(context, { headersMs: 1_000, requestMs: 1_500 }));
  assert.equal(slow.ended(), false);
});
