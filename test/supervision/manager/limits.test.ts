import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ElderError } from '../../../src/protocol/errors.ts';
import { type PortLimits, portLimits } from '../../../src/protocol/limits.ts';
import { managerRoutes } from '../../../src/protocol/local-api.ts';
import { type ManagerControl, ManagerSocket } from '../../../src/supervision/manager/manager-socket.ts';
import {
  beginSlowly,
  checkConnections,
  checkControls,
  checkRate,
  checkSizes,
  checkTimes,
  type LimitedSocket,
} from '../../support/socket-limits.ts';

/** A manager's socket with the limits given, of a manager that has no tree yet. */
async function open(context: TestContext, change: Partial<PortLimits>): Promise<LimitedSocket> {
  const folder = await mkdtemp(join(tmpdir(), 'elders-ms-'));
  const none = () => Promise.reject(new ElderError('not_found', 'there is no tree'));
  const control = {
    certificates: { list: none, rotate: none, revoke: none, health: none },
  } as unknown as ManagerControl;
  const limits = { ...portLimits.manager, ...change };
  const path = join(folder, 'm.sock');
  const socket = await ManagerSocket.open(path, control, limits);
  context.after(async () => {
    await socket.close();
    await rm(folder, { recursive: true });
  });
  return { path, limits, post: managerRoutes.shutdown.path };
}

test('the manager’s socket ends what is too large, too deep or too slow', async (context) => {
  await checkSizes(await open(context, {}));
  await checkTimes(await open(context, { headersMs: 1_000, requestMs: 1_500 }));
});

test('the manager’s socket takes so many connections and no more', async (context) => {
  await checkConnections(await open(context, { connections: 5, headersMs: 0, requestMs: 0 }));
});

test('the manager’s socket takes so many requests and no more', async (context) => {
  await checkRate(await open(context, { rate: 0.001, burst: 3 }));
});

test('control: without these limits the checks find the manager’s socket open', async (context) => {
  await checkControls((change) => open(context, change));
  const unlimited = await open(context, { headersMs: 0, requestMs: 0 });
  const slow = await beginSlowly(unlimited);
  context.after(() => slow.close());
  // Where the limits are on, two that began later are ended in the meantime, one after the other.
  await checkTimes(await open(context, { headersMs: 1_000, requestMs: 1_500 }));
  assert.equal(slow.ended(), false);
});
