import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { configSchema } from '../../../src/protocol/config.ts';
import { ElderError } from '../../../src/protocol/errors.ts';
import { type StateFolder, stateFolder } from '../../../src/protocol/state-folder.ts';
import type { StaffView } from '../../../src/supervision/scaling/read-staff.ts';
import { ServantRoll } from '../../../src/supervision/scaling/servant-roll.ts';
import { ServantScaler } from '../../../src/supervision/scaling/servant-scaler.ts';

let folder: StateFolder;
beforeEach(async () => {
  folder = stateFolder(await mkdtemp(join(tmpdir(), 'elders-scaling-')));
  await mkdir(folder.run, { recursive: true });
});
afterEach(() => rm(folder.project, { recursive: true }));

type Options = ConstructorParameters<typeof ServantScaler>[0];

/** A scaler whose task sage and processes are played by the test. */
async function harness(settings: object, more: Partial<Options> = {}) {
  const config = configSchema.parse(settings);
  const roll = await ServantRoll.open(folder, config, []);
  const living = new Set(roll.members);
  const busy = new Set<string>();
  const sage = { revision: 0, ordered: 0, obeys: true, away: false };
  const grand = { revision: 0, names: [] as readonly string[] };
  const gone: string[] = [];
  let begun = false;
  let looked = Promise.withResolvers<void>();
  const view = (): StaffView => ({
    ...{ revision: sage.revision, told: grand.revision, demand: null, busy, available: new Set(living) },
  });
  const scaler = new ServantScaler({
    roll,
    config,
    elders: {
      admit: async ({ name }) => void living.add(name),
      dismiss: async (name) => void living.delete(name),
      supervisor: (name) =>
        (living.has(name) ? { status: { name, state: 'ready', reason: null } } : undefined) as never,
    },
    readStaff: async () => {
      looked.resolve();
      looked = Promise.withResolvers();
      if (sage.away) throw new ElderError('redis_unreachable', 'away');
      return view();
    },
    nameServants: ({ revision, members }) => {
      if (begun) {
        for (const name of members) assert.ok(grand.names.includes(name), `no emergency reaches ${name}`);
      }
      sage.ordered = revision;
      if (sage.obeys) sage.revision = revision;
    },
    tellServants: ({ revision, names }) => Object.assign(grand, { revision, names }),
    requirePorts: async () => undefined,
    onChange: () => undefined,
    onDraining: () => undefined,
    onGone: (name) => gone.push(name),
    onHindered: (what, error) => assert.fail(`${what}: ${error.reason}`),
    ...more,
  });
  scaler.announce();
  begun = true;
  scaler.begin();
  /** Resolves when it has looked so often and has acted on all looks but the last. */
  const looks = async (count: number) => {
    for (let seen = 0; seen < count; seen += 1) await looked.promise;
  };
  return { scaler, roll, living, busy, sage, gone, looks };
}

test('a servant ends only when the task sage gives it nothing more and it has nothing left', async () => {
  const { scaler, living, busy, sage, gone, looks } = await harness({ servants: 2 });
  busy.add('servant_2');
  sage.obeys = false;
  const scaled = scaler.scale({ pools: { servant: 1 }, wait: true });
  await looks(3);
  busy.clear();
  await looks(3);
  assert.deepEqual([...living], ['servant_1', 'servant_2'], 'the task sage does not know yet');
  sage.away = true;
  await looks(3);
  assert.equal(living.size, 2, 'while Redis is away nothing is known');
  busy.add('servant_2');
  sage.obeys = true;
  sage.away = false;
  sage.revision = sage.ordered;
  await looks(3);
  assert.equal(living.size, 2);
  busy.clear();
  const { pools } = await scaled;
  assert.deepEqual([[...living], gone, pools[0]?.count], [['servant_1'], ['servant_2'], 1]);
  await scaler.stop();
});

test('one that is wanted back stays', async () => {
  const { scaler, living, busy, gone, looks } = await harness({ servants: 2 });
  busy.add('servant_2');
  await scaler.scale({ pools: { servant: 1 }, wait: false });
  await looks(2);
  assert.deepEqual(scaler.state.pools[0]?.draining, ['servant_2']);
  await scaler.scale({ pools: { servant: 2 }, wait: true });
  busy.clear();
  await scaler.scale({ pools: { servant: 3 }, wait: true });
  assert.deepEqual([[...living], gone], [['servant_1', 'servant_2', 'servant_3'], []]);
  await scaler.stop();
});

test('the control: where it is not waited for, a servant ends with its task', async () => {
  const { scaler, living, busy } = await harness({ servants: 2 }, { mayEnd: () => true });
  busy.add('servant_2');
  await scaler.scale({ pools: { servant: 1 }, wait: true });
  assert.deepEqual([...living], ['servant_1']);
  await scaler.stop();
});

test('whoever waits is told when somebody else asks for another number', async () => {
  const { scaler, busy } = await harness({ servants: 2 });
  busy.add('servant_2');
  const waiting = assert.rejects(scaler.scale({ pools: { servant: 1 }, wait: true }), { code: 'conflict' });
  await scaler.scale({ pools: { servant: 2 }, wait: true });
  await waiting;
  await scaler.stop();
});

test('what was asked for outlives the manager, until the configuration says something new', async () => {
  const config = configSchema.parse({ servants: 3, scaling: { groups: { gpu: { max: 2 } } } });
  const open = (settings: typeof config, running: string[] = []) =>
    ServantRoll.open(folder, settings, running);
  const first = await open(config);
  first.setCount('servant', 1, true);
  first.setCount('gpu', 1, true);
  await first.save();
  const second = await open(config, ['task_sage', 'servant_3']);
  assert.deepEqual(second.members, ['servant_1', 'servant_501']);
  assert.deepEqual([...second.retiring].sort(), ['servant_2', 'servant_3']);
  assert.ok(second.nextRevision() > first.revision);
  const changed = await open({ ...config, servants: 2 }, ['servant_3', 'servant_17', 'servant_501']);
  assert.deepEqual(changed.members, ['servant_1', 'servant_2']);
  assert.deepEqual([...changed.retiring], ['servant_3', 'servant_501'], 'never one that cannot be');
  await writeFile(folder.servants, '{');
  assert.deepEqual((await open(config)).members, ['servant_1', 'servant_2', 'servant_3']);
});
