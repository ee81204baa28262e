import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Writable } from 'node:stream';
import type { ProcessIdentity } from '../../protocol/process.ts';

const bash = '/bin/bash';

/** How often it looks within the time for which no manager may be there, and after how many looks in vain it acts: the elders end first. */
const looksWithin = 10;
const looksInVain = 12;

/**
 * Waits for the end of its standard input, which is the end of Redis, and looks in between whether a manager shows
 * that it lives. Looks are counted, not hours: while the host sleeps nobody can show anything.
 */
const script = `
note=$1 interval=$2 most=$3
stat -c %y / || exit 0
read -r pid start || exit 0
last= vain=0
while :; do
  read -r -t "$interval"
  [ $? -gt 128 ] || exit 0
  now=$(stat -c %y "$note")
  if [ "$now" = "$last" ]; then vain=$((vain + 1)); else vain=0; fi
  last=$now
  [ "$vain" -lt "$most" ] && continue
  read -r line <"/proc/$pid/stat" || exit 0
  set -- \${line##*) }
  [ "\${20}" = "$start" ] && kill -TERM "$pid"
  exit 0
done >/dev/null 2>&1`;

/** What ends a managed Redis that no manager has looked after for too long, as the elders end themselves. */
export interface RedisSitter {
  /** To be inherited by Redis, and only by it: when all that have it have closed it, the sitter ends. */
  readonly held: Writable;
  /** Tells whom to sit with, once Redis has `held`. */
  sitWith(redis: ProcessIdentity): void;
  /** Gives it up: there is no Redis. */
  abandon(): void;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
}

/** Starts a sitter; `null` where this host has no means for it. `note` is what a manager touches while it lives. */
export function startRedisSitter(options: { note: string; orphanTimeout: number }): RedisSitter | null {
  if (process.platform !== 'linux' || !existsSync(bash)) return null;
  const { note, orphanTimeout } = options;
  const interval = String(orphanTimeout / looksWithin / 1_000);
  const child = spawn(bash, ['-c', script, 'elders-redis-sitter', note, interval, String(looksInVain)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: process.env.PATH === undefined ? {} : { PATH: process.env.PATH },
  });
  child.unref();
  const held = child.stdin;
  held.on('error', () => undefined);
  return {
    held,
    sitWith: ({ pid, startTime }) => void held.write(`${pid} ${startTime}\n`, () => held.destroy()),
    abandon: () => void held.destroy(),
    ended: endOf(child),
  };
}

async function endOf(child: ChildProcess): Promise<void> {
  await once(child, 'exit').catch(() => undefined);
}
