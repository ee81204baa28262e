import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { defaultConfig } from '../src/protocol/config.ts';
import { startTestRedis } from '../test/support/redis.ts';
import { handledBy, memoryOf, startPairElder, untilHandled } from './backpressure/pair.ts';

// What a sender at full speed does to the memory of all processes while its receiver stands still.
const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '3600000' },
    'warm-up': { type: 'string', default: '20000' },
    'edge-limit': { type: 'string', default: String(defaultConfig.messages.edgeLimit) },
  },
});
const messages = Number(values.messages);
const edgeLimit = Number(values['edge-limit']);
const mostGrowthMb = 50;
const say = (text: string) => process.stderr.write(`${text}\n`);
const rounded = (value: number) => Number(value.toFixed(1));

const redis = await startTestRedis({ appendfsync: 'always' });
const redisPid = (JSON.parse(readFileSync(redis.folder.processRecord('redis'), 'utf8')) as { pid: number })
  .pid;
const receiver = await startPairElder(redis, 'knowledge_sage', { edgeLimit });
const sender = await startPairElder(redis, 'claude_elder', { edgeLimit });
const pids = { redis: redisPid, sender: sender.pid, receiver: receiver.pid };
const processes = Object.entries(pids).map(([name, pid]) => ({ name, pid, atRest: memoryOf(pid).now }));
try {
  const warmUp = Number(values['warm-up']);
  await sender.offer(warmUp, 'wait');
  await untilHandled(redis, warmUp);
  // Running at full speed takes memory of its own, however many messages come: what counts is what comes on top.
  const before = processes.map((each) => ({ ...each, working: memoryOf(each.pid).peak }));

  receiver.signal('SIGSTOP');
  say(`receiver stopped; offering ${messages} messages`);
  const began = performance.now();
  const offered = await sender.offer(messages, 'fail');
  const offeredMs = performance.now() - began;
  const toldFull = sender.seen('edge:edge_full');
  say(`${offered.accepted} accepted, ${offered.full} refused as full in ${Math.round(offeredMs)} ms`);

  // One more window than the edge can hold: it goes through only if the sender resumes by itself.
  const rest = edgeLimit + 10_000;
  const resumed = sender.offer(rest, 'wait');
  receiver.signal('SIGCONT');
  const again = performance.now();
  await resumed;
  const acknowledged = warmUp + offered.accepted + rest;
  await untilHandled(redis, acknowledged);
  const resumeMs = performance.now() - again;
  const handled = await handledBy(redis);
  const memory = before.map(({ name, pid, atRest, working }) => {
    const { peak } = memoryOf(pid);
    return {
      process: name,
      atRestMb: rounded(atRest),
      workingMb: rounded(working),
      peakMb: rounded(peak),
      growthMb: rounded(peak - working),
    };
  });
  for (const { process: name, atRestMb, workingMb, peakMb, growthMb } of memory) {
    const figures = `${atRestMb} MB at rest, ${workingMb} MB at work, ${peakMb} MB at most`;
    say(`${name.padEnd(9)} ${figures}: grew by ${growthMb} MB`);
  }
  say(`${acknowledged} acknowledged, ${handled} handled`);
  const ok =
    handled === acknowledged && offered.full > 0 && memory.every(({ growthMb }) => growthMb < mostGrowthMb);
  const report = {
    bench: 'backpressure',
    ok,
    offered: messages,
    accepted: offered.accepted,
    refusedAsFull: offered.full,
    toldFull,
    offeredMs: Math.round(offeredMs),
    resumedWith: rest,
    resumeMs: Math.round(resumeMs),
    acknowledged,
    handled,
    edgeLimit,
    memory,
    machine: { cores: availableParallelism(), node: process.version },
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exitCode = ok ? 0 : 1;
} finally {
  receiver.signal('SIGCONT');
  await Promise.all([sender.stop(), receiver.stop()]);
  await redis.stop();
}
