import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Something that keeps the worker alive. */
export interface PlainSupervisor {
  readonly name: string;
  /** Pid of the worker that runs now. */
  pid(): number;
  close(): Promise<void>;
}

interface WorkerPlace {
  readonly folder: string;
  readonly worker: string;
  readonly orderFile: string;
  readonly pidFile: string;
}

const readPid = (file: string) => Number(readFileSync(file, 'utf8'));

/** Starts the worker again as soon as it has ended, and does nothing else. */
export function bareRespawn({ worker, orderFile, pidFile, folder }: WorkerPlace): PlainSupervisor {
  let closed = false;
  let child: ChildProcess;
  const start = () => {
    child = spawn(process.execPath, [worker, orderFile], { cwd: folder, stdio: 'ignore', env: cleanEnv() });
    child.once('exit', () => {
      if (!closed) start();
    });
  };
  start();
  return {
    name: 'bare respawn',
    pid: () => readPid(pidFile),
    close: async () => {
      closed = true;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Debian's supervisord as it is configured by default; `null` where it is not installed. */
export function supervisord({ worker, orderFile, pidFile, folder }: WorkerPlace): PlainSupervisor | null {
  if (spawnSync('supervisord', ['--version']).status !== 0) return null;
  const file = join(folder, 'supervisord.conf');
  const program = `${process.execPath} ${worker} ${orderFile}`;
  writeFileSync(
    file,
    `[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=${join(folder, 'supervisord.pid')}\n` +
      `[program:worker]\ncommand=${program}\nautorestart=true\nstartretries=100\nstdout_logfile=NONE\nstderr_logfile=NONE\n`,
  );
  const daemon = spawn('supervisord', ['-c', file], { cwd: folder, stdio: 'ignore', env: cleanEnv() });
  return {
    name: "Debian's supervisord",
    pid: () => readPid(pidFile),
    close: async () => {
      const gone = once(daemon, 'exit');
      daemon.kill('SIGTERM');
      await gone;
    },
  };
}

/** pm2 with its defaults, in a home of its own; `null` where it is not installed. */
export async function pm2(place: WorkerPlace, program: string): Promise<PlainSupervisor | null> {
  const { worker, orderFile, pidFile, folder } = place;
  const home = join(folder, 'pm2');
  mkdirSync(home);
  const env = { ...cleanEnv(), PM2_HOME: home };
  const run = (...args: string[]) =>
    execFileSync(program, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    run('start', worker, '--interpreter', process.execPath, '--name', 'worker', '--', orderFile);
  } catch (error) {
    process.stderr.write(`pm2: ${error instanceof Error ? error.message.slice(0, 300) : ''}\n`);
    rmSync(home, { recursive: true, force: true });
    return null;
  }
  return {
    name: 'pm2',
    pid: () => readPid(pidFile),
    close: async () => {
      run('kill');
      await delay(100);
    },
  };
}

function cleanEnv(): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env;
  return { PATH, HOME, NODE_COMPILE_CACHE: join(HOME, '.cache', 'elders-tree-bench') };
}
