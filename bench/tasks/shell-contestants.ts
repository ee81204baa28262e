import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contestant } from './contestant.ts';

async function timed(program: string, args: string[], cwd: string): Promise<number> {
  const began = performance.now();
  const [code] = await once(spawn(program, args, { cwd, stdio: 'ignore' }), 'close');
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
  return performance.now() - began;
}

/** GNU make with one target a task. */
export function makeContestant(folder: string, command: string, jobs: number): Contestant {
  return {
    name: `make -j${jobs}`,
    isolation: 'none',
    lacks: 'no record, no lease, no retry; dies with its terminal',
    run: async (count) => {
      const targets = Array.from({ length: count }, (_, index) => `t${index}`);
      const rules = targets.map((target) => `${target}:\n\t@${command}\n`).join('');
      await mkdir(folder, { recursive: true });
      const file = join(folder, `Makefile.${count}`);
      const shell = 'SHELL := /bin/bash\n.SHELLFLAGS := -e -o pipefail -c\n';
      await writeFile(file, `${shell}.PHONY: all ${targets.join(' ')}\nall: ${targets.join(' ')}\n${rules}`);
      return timed('make', ['-s', `-j${jobs}`, '-f', file, 'all'], folder);
    },
    close: async () => {},
  };
}

/** xargs with one shell a task. */
export function xargsContestant(folder: string, command: string, jobs: number): Contestant {
  return {
    name: `xargs -P${jobs}`,
    isolation: 'none',
    lacks: 'no graph, no record, no retry; dies with its terminal',
    run: (count) =>
      timed('sh', ['-c', `seq ${count} | xargs -P ${jobs} -I{} bash -e -o pipefail -c '${command}'`], folder),
    close: async () => {},
  };
}
