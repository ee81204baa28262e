import { join } from 'node:path';
import { launch } from '../../src/cli/launch.ts';
import { readProcessStat } from '../../src/telemetry/process-identity.ts';
import { readCpuTime, readResidentMemory } from '../../src/telemetry/process-usage.ts';
import { ManagedTree } from '../supervision/managed-tree.ts';
import { BurningTasks } from './burning-tasks.ts';

/** What goes wrong: one elder hangs, floods its edges, leaks memory, burns its processor; or commands of tasks burn it. */
export const faults = ['hang', 'flood', 'leak', 'burn', 'tasks'] as const;
export type Fault = (typeof faults)[number];

/** Whom the flood goes to. */
export const flooded = 'incident_sage';

/** How many commands burn. */
export const burners = 8;

/** A figure that shows whether a fault acts. */
export interface Evidence {
  readonly what: string;
  readonly value: number;
}

/** A tree in which something can be made to go wrong. */
export interface FaultyTree {
  readonly tree: ManagedTree;
  /** The elder that goes wrong, or that suffers first where it is none. */
  readonly faulty: string;
  goWrong(): Promise<void>;
  /** Makes an end of it; the tree is not settled yet then. */
  recover(): Promise<void>;
  /** Shows how far it goes now. */
  evidence(): Promise<Evidence>;
  /** The commands of tasks that burn. */
  commands(): number[];
}

interface FaultyTreeOptions {
  /** Whether what bounds the fault is in force: the limit of an edge, of memory, the standing back of commands. */
  readonly guarded?: boolean;
  readonly edgeLimit?: number;
  readonly memoryLimit?: string;
  readonly niceness?: number;
}

const boundless = { edgeLimit: 10_000_000, memoryLimit: '100GB', niceness: 0 };

/** Starts such a tree, with the program of one elder replaced by one that can go wrong. */
export async function startFaultyTree(fault: Fault, options: FaultyTreeOptions = {}): Promise<FaultyTree> {
  const { guarded = true, edgeLimit = 10_000, memoryLimit = '300MB', niceness = 10 } = options;
  const limits = guarded ? { edgeLimit, memoryLimit, niceness } : boundless;
  const faulty = fault === 'flood' ? 'claude_elder' : 'incident_sage';
  const config = {
    spares: 0,
    tasks: { lease: '5m' },
    messages: { edgeLimit: limits.edgeLimit },
    sandboxLimits: { niceness: limits.niceness },
    // A hang is to hold for as long as it is looked at.
    supervision: {
      intensity: 1_000,
      backoffMax: '50ms',
      livenessDeadline: '2m',
      elders: { [faulty]: { memoryLimit: fault === 'leak' ? limits.memoryLimit : '4GB' } },
    },
  };
  if (fault === 'tasks') return burningTasks(await ManagedTree.start(burners, config), faulty);
  const program = join(import.meta.dirname, 'faulty-elder.ts');
  const tree = await ManagedTree.start(2, config, {
    command: launch.command,
    args: (name) => (name === faulty ? [program, fault, name] : launch.args(name)),
  });
  return { tree, faulty, commands: () => [], ...faultyElder(fault, tree, faulty) };
}

type Doing = Omit<FaultyTree, 'tree' | 'faulty' | 'commands'>;

function faultyElder(fault: Exclude<Fault, 'tasks'>, tree: ManagedTree, faulty: string): Doing {
  const pid = () => tree.elder(faulty).pid;
  const signal = (name: NodeJS.Signals) => async () => {
    const found = pid();
    if (found !== null) process.kill(found, name);
  };
  let cpuBefore = 0;
  const cpuTime = () => readCpuTime(pid() ?? 0) ?? 0;
  switch (fault) {
    case 'hang':
      return {
        goWrong: signal('SIGSTOP'),
        recover: signal('SIGCONT'),
        evidence: async () => ({
          what: 'stopped',
          value: readProcessStat(pid() ?? 0)?.state === 'T' ? 1 : 0,
        }),
      };
    case 'flood':
      return {
        goWrong: signal('SIGUSR2'),
        recover: signal('SIGUSR2'),
        evidence: async () => ({
          what: 'unhandled messages in its edge',
          value: await unhandled(tree, faulty),
        }),
      };
    case 'leak':
      return {
        goWrong: signal('SIGUSR2'),
        // A successor does not leak.
        recover: signal('SIGKILL'),
        evidence: async () => ({
          what: 'MB of memory',
          value: Math.round((readResidentMemory(pid() ?? 0) ?? 0) / 1_000_000),
        }),
      };
    case 'burn':
      return {
        goWrong: async () => {
          cpuBefore = cpuTime();
          await signal('SIGUSR2')();
        },
        recover: signal('SIGKILL'),
        evidence: async () => ({ what: 'ms of CPU', value: cpuTime() - cpuBefore }),
      };
  }
}

/** How much the fullest lane from one elder into the flooded one holds. */
async function unhandled(tree: ManagedTree, from: string): Promise<number> {
  const { edges } = await tree.operations.describe(flooded);
  const backlogs = edges
    .filter(({ source, target }) => source === from && target === flooded)
    .map(({ sent, handled }) => sent - handled);
  return Math.max(0, ...backlogs);
}

function burningTasks(tree: ManagedTree, faulty: string): FaultyTree {
  const tasks = new BurningTasks(tree, burners);
  return {
    tree,
    faulty,
    commands: () => tasks.pids,
    goWrong: () => tasks.begin(),
    recover: () => tasks.end(),
    evidence: async () => ({ what: 'commands that have burnt 100 ms', value: tasks.burntFor(100).length }),
  };
}
