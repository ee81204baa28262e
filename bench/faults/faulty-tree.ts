import { join } from 'node:path';
import { launch } from '../../src/cli/launch.ts';
import { ManagedTree } from '../supervision/managed-tree.ts';

/** What one elder does wrong. */
export const faults = ['hang', 'flood', 'leak', 'burn'] as const;
export type Fault = (typeof faults)[number];

/** The elder that goes wrong. */
export const faulty = 'claude_elder';
/** Whom it floods. */
export const flooded = 'incident_sage';

/** Starts a tree of which one elder can be made to go wrong, and ready again. */
export async function startFaultyTree(
  fault: Fault,
): Promise<{ tree: ManagedTree; goWrong: () => void; recover: () => void }> {
  const program = join(import.meta.dirname, 'faulty-elder.ts');
  const tree = await ManagedTree.start(
    2,
    {
      spares: 0,
      tasks: { lease: '5m' },
      // A hang is to hold for as long as it is looked at; a leak is to end at its limit.
      supervision: {
        intensity: 1_000,
        livenessDeadline: '2m',
        elders: { [faulty]: { memoryLimit: fault === 'leak' ? '300MB' : '2GB' } },
      },
    },
    {
      command: launch.command,
      args: (name) => (name === faulty ? [program, fault, name] : launch.args(name)),
    },
  );
  const signal = (inward: NodeJS.Signals, outward: NodeJS.Signals) => () => {
    const { pid } = tree.elder(faulty);
    if (pid !== null) process.kill(pid, fault === 'hang' ? outward : inward);
  };
  return { tree, goWrong: signal('SIGUSR2', 'SIGSTOP'), recover: signal('SIGUSR2', 'SIGCONT') };
}
