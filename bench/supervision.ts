import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { launch } from '../src/cli/launch.ts';
import { configSchema } from '../src/protocol/config.ts';
import { roster } from '../src/protocol/roster.ts';
import { stateFolder } from '../src/protocol/state-folder.ts';
import { Registry } from '../src/supervision/elders/registry.ts';
import type { ElderProgram } from '../src/supervision/isolation/elder-program.ts';
import { elderBeforeStart, redisBeforeStart, treeStatusOf } from '../src/supervision/manager/tree-state.ts';
import { startTestRedis } from '../test/support/redis.ts';
import { cpuMs, proportionalMb } from './messaging/process-cost.ts';
import { median, quantile, rounded } from './messaging/statistics.ts';
import { type Contestant, pauseMs, plainContestants, treeContestant } from './supervision/failover.ts';
import { ManagedTree } from './supervision/managed-tree.ts';

// How quickly a dead or hanging process is replaced, beside what people would take instead, and what watching costs.
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    parts: { type: 'string', default: 'failover,hang,start,one,idle,registered' },
    /** Folder of a built package whose elders are measured; the sources without it. */
    package: { type: 'string' },
    /** Parts of the names of those who take part in `failover`; all of them without it. */
    contestants: { type: 'string', default: '' },
    /** Path of pm2, which is no dependency of this project. */
    pm2: { type: 'string', default: 'pm2' },
  },
});
const rounds = Number(values.rounds);
const program: ElderProgram =
  values.package === undefined
    ? launch
    : ((await import(resolve(values.package, 'dist/cli/launch.js'))) as { launch: ElderProgram }).launch;
const parts = new Set(values.parts.split(','));
const wanted = values.contestants.split(',').filter((part) => part !== '');
const target = 'incident_sage';
/** Kills of one contestant before it is the next one's turn. */
const roundsOfTurn = 10;
const patient = { intensity: 1_000, stableAfter: '1s' };

const say = (text: string) => process.stderr.write(`${text}\n`);

function summary(contestant: string, times: readonly number[]) {
  const row = {
    contestant,
    times: times.length,
    p50Ms: rounded(median(times), 1),
    p99Ms: rounded(quantile(times, 0.99), 1),
    leastMs: rounded(Math.min(...times), 1),
  };
  say(`${contestant.padEnd(36)} p50 ${row.p50Ms} ms, p99 ${row.p99Ms} ms, least ${row.leastMs} ms`);
  return row;
}

/** The contestants take turns, so that what else the machine does meanwhile meets all of them. */
async function failover() {
  const own = [
    ['elders, warm spare', { spares: 1 }],
    ['elders, cold', { spares: 0 }],
    ['elders, warm spare, no isolation', { spares: 1, isolation: 'none' }],
    ['elders, cold, no isolation', { spares: 0, isolation: 'none' }],
  ] as const;
  const contestants: Contestant[] = [
    ...own.map(([name, config]) =>
      treeContestant({ name, target, program, config: { supervision: patient, ...config } }),
    ),
    ...plainContestants(target, values.pm2),
  ].filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
  const times = new Map<string, number[]>();
  const missing = new Set<string>();
  for (let left = rounds; left > 0; left -= roundsOfTurn) {
    for (const { name, run } of contestants) {
      const found = await run(Math.min(left, roundsOfTurn));
      if (found === null) missing.add(name);
      else times.set(name, [...(times.get(name) ?? []), ...found]);
    }
  }
  for (const name of missing) say(`${name} is MISSING here: nothing is said about it`);
  return [
    ...[...times].map(([name, found]) => summary(name, found)),
    ...[...missing].map((contestant) => ({ contestant, missing: 'not installed' })),
  ];
}

async function hang() {
  const deadlineMs = 500;
  const supervision = { ...patient, probeInterval: '100ms', livenessDeadline: `${deadlineMs}ms` };
  const tree = await ManagedTree.start(2, { supervision }, program);
  const times: number[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      await tree.settled();
      await delay(pauseMs);
      const before = tree.elder(target);
      const began = performance.now();
      process.kill(before.pid as number, 'SIGSTOP');
      await tree.until(() => {
        const { incarnation, state } = tree.elder(target);
        return incarnation > before.incarnation && state === 'ready';
      });
      times.push(performance.now() - began);
    }
  } finally {
    await tree.close();
  }
  return { deadlineMs, ...summary(`hang, deadline ${deadlineMs} ms`, times) };
}

/** The manager is this process, so its CPU is measured with nothing else to do. */
async function idle() {
  const tree = await ManagedTree.start(3, {}, program);
  try {
    await tree.settled();
    await delay(3_000);
    const before = cpuMs(process.pid);
    const began = performance.now();
    await delay(20_000);
    const managerCpuPercent = ((cpuMs(process.pid) - before) / (performance.now() - began)) * 100;
    const { elders, spares } = tree.manager.status;
    const pssOf = (processes: readonly { readonly name: string; readonly pid: number | null }[]) =>
      processes.flatMap(({ name, pid }) =>
        pid === null ? [] : [[name, rounded(proportionalMb(pid), 1)] as const],
      );
    const pss = ([of, processes]: readonly [string, ReturnType<typeof pssOf>]) => {
      const all = processes.map(([, mb]) => mb);
      const [middle, most] = [rounded(median(all), 1), rounded(Math.max(...all), 1)];
      say(`PSS of an idle ${of}: median ${middle} MB, most ${most} MB`);
      return { median: middle, most, each: Object.fromEntries(processes) };
    };
    say(`CPU of the idle manager ${rounded(managerCpuPercent)} %`);
    return {
      managerCpuPercent: rounded(managerCpuPercent),
      elderPssMb: pss(['elder', pssOf(elders)]),
      sparePssMb: pss(['spare', pssOf(spares)]),
    };
  } finally {
    await tree.close();
  }
}

async function coldStart() {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    // Seven fixed elders, three servants and Redis: with the manager eleven processes besides this one.
    const tree = await ManagedTree.start(3, { spares: 0 }, program);
    times.push(tree.startMs);
    await tree.close();
  }
  return summary('whole tree, cold start to ready', times);
}

/** One elder alone, cold: from the beginning of its start until it is ready. */
async function startOfOne() {
  const tree = await ManagedTree.start(2, { spares: 0, supervision: patient }, program);
  const times: number[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      await tree.settled();
      await delay(pauseMs);
      const { pid, incarnation } = tree.elder(target);
      process.kill(pid as number, 'SIGKILL');
      await tree.until(() => tree.elder(target).state === 'starting');
      const began = performance.now();
      await tree.until(() => {
        const now = tree.elder(target);
        return now.incarnation > incarnation && now.state === 'ready';
      });
      times.push(performance.now() - began);
    }
  } finally {
    await tree.close();
  }
  return summary('one elder, cold start to ready', times);
}

/** What the manager does for each servant that it knows: the registry in Redis, and the answer to `status`. */
async function registered() {
  const redis = await startTestRedis();
  const rows = [];
  try {
    for (const count of [10, 100, 1_000]) {
      // A tree has 900 servants at most; the names beyond stand for more of the same.
      const config = configSchema.parse({ servants: Math.min(count, 900) });
      const specs = Array.from(
        { length: count },
        (_, index) => roster(Math.min(count, 900))[7 + (index % 900)] ?? roster(1)[7],
      ).flatMap((spec, index) => (spec === undefined ? [] : [{ ...spec, name: `servant_${index + 1}` }]));
      const statuses = specs.map((spec) => elderBeforeStart(spec, config.portBase));
      const writing: number[] = [];
      const answering: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const all = Promise.withResolvers<void>();
        let written = 0;
        const counting = {
          setRegistry: async (name: string, value: string) => {
            await redis.admin.setRegistry(name, value);
            written += 1;
            if (written === count) all.resolve();
          },
        };
        const registry = new Registry(counting as unknown as typeof redis.admin, 100);
        const before = process.cpuUsage();
        for (const status of statuses) registry.set({ ...status, pid: process.pid, incarnation: round });
        await all.promise;
        await registry.close();
        const used = process.cpuUsage(before);
        writing.push((used.user + used.system) / 1_000);
        const elders = new Map(statuses.map((status) => [status.name, { ...status, pid: process.pid }]));
        const began = performance.now();
        const status = treeStatusOf({
          ...{ tree: 'bench', phase: 'running', wasReady: true, manager: null, config, elders, spares: [] },
          ...{ specs: roster(config.servants), retiring: new Set<string>(), pools: undefined },
          redis: redisBeforeStart(config),
          folder: stateFolder(tmpdir()),
        });
        JSON.stringify(status);
        answering.push(performance.now() - began);
      }
      const row = {
        servants: count,
        registryCpuMs: rounded(median(writing), 1),
        statusMs: rounded(median(answering), 1),
      };
      say(`${count} servants: registry ${row.registryCpuMs} ms CPU, status ${row.statusMs} ms`);
      rows.push(row);
    }
  } finally {
    await redis.stop();
  }
  return rows;
}

const machine = {
  cores: availableParallelism(),
  node: process.version,
  load: loadavg().map((each) => rounded(each, 1)),
};
const result: Record<string, unknown> = {
  ...{ bench: 'supervision', rounds, machine },
  program: values.package ?? 'sources',
};
if (parts.has('failover')) result.failover = await failover();
if (parts.has('hang')) result.hang = await hang();
if (parts.has('start')) result.coldStart = await coldStart();
if (parts.has('one')) result.startOfOne = await startOfOne();
if (parts.has('idle')) result.idle = await idle();
if (parts.has('registered')) result.registered = await registered();
process.stdout.write(`${JSON.stringify({ ...result, loadAtEnd: rounded(loadavg()[0] ?? 0, 1) })}\n`);
process.exit(0);
