import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { followLoading } from '../../../src/supervision/elders/loading.ts';
import type { SpawnedElder } from '../../../src/supervision/elders/spawn-elder.ts';
import { WarmSpares } from '../../../src/supervision/spares/warm-spares.ts';

/** A process that waits until it is ended. */
function waiting(name: string): SpawnedElder {
  const { promise: exited, resolve } = Promise.withResolvers<Awaited<SpawnedElder['exited']>>();
  const channel = new PassThrough();
  const said = (async function* () {
    yield { kind: 'loaded' };
  })();
  return {
    ...{ name, walled: true, channel, exited, loading: followLoading(said) },
    identity: { pid: 0, startTime: '0', bootId: '' } as unknown as SpawnedElder['identity'],
    lines: (async function* () {
      yield* channel;
    })(),
    kill: () => resolve({ code: null, signal: 'SIGKILL' } as Awaited<SpawnedElder['exited']>),
  };
}

test('a spare that was made before a folder was granted is passed over, ended and replaced', async (t) => {
  let view = 'project';
  const started: string[] = [];
  const spares = new WarmSpares({
    groups: () => [['rag_sage']],
    limits: () => ({ count: 1, backoffFirst: 1, backoffMax: 1, stableAfter: 1 }),
    sees: () => view,
    spawn: async (spare) => {
      started.push(view);
      return waiting(spare);
    },
    note: async () => {},
    prepare: async () => true,
    onChange: () => {},
    onLost: (_, reason) => assert.fail(reason),
  });
  t.after(() => spares.discard());
  const ready = async (count: number) => {
    while (started.length < count || spares.statuses[0]?.state !== 'ready') await turn();
  };
  spares.begin();
  await ready(1);
  view = 'project and more';
  assert.equal(spares.take('rag_sage'), null);
  await ready(2);
  assert.deepEqual(started, ['project', 'project and more']);
  assert.equal(spares.take('rag_sage')?.names[0], 'rag_sage');
});
