import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { launch, programFile } from '../../src/cli/launch.ts';
import type { DirectiveView } from '../../src/protocol/directive.ts';
import type { Manager, ManagerOptions } from '../../src/supervision/manager/manager.ts';
import type { SupervisedTree } from './supervised-tree.ts';

/** Runs `elders` in the folder of a tree that a manager in this process runs, and gives what it printed. Throws unless it succeeds. */
async function elders(tree: SupervisedTree, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(process.execPath, [programFile, ...args], {
    cwd: tree.project,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'C.UTF-8' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(input);
  let printed = '';
  let said = '';
  child.stdout.on('data', (chunk) => (printed += chunk));
  child.stderr.on('data', (chunk) => (said += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`elders ${args.join(' ')}: exit ${code}\n${printed}${said}`);
  return printed;
}

/** Runs a manager of real elders in this process, so that a test hears of every change. */
export function realUp(tree: SupervisedTree, options: Partial<ManagerOptions> = {}): Promise<Manager> {
  return tree.up({ launch, ...options });
}

/** Submits a directive and gives its id. */
export async function submit(tree: SupervisedTree, directive: object): Promise<string> {
  const printed = await elders(tree, ['directive', 'submit', '-', '--json'], JSON.stringify(directive));
  return (JSON.parse(printed) as { id: string }).id;
}

/** Waits until a directive has ended. */
export async function ended(tree: SupervisedTree, id: string): Promise<DirectiveView> {
  return JSON.parse(await elders(tree, ['directive', 'show', id, '--wait', '--json'])) as DirectiveView;
}
