import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Config } from '../../protocol/config.ts';
import { ElderError } from '../../protocol/errors.ts';
import { isServant } from '../../protocol/roster.ts';
import type { StateFolder } from '../../protocol/state-folder.ts';
import { findBubblewrap, kernelSettingsReadOnly } from '../../telemetry/bubblewrap-program.ts';
import { placesOf } from './elder-places.ts';
import { mappedPlaces } from './own-user/mapped-places.ts';
import { asUser, findUserTools, type UserTools, unusedUser } from './own-user/own-user.ts';

const run = promisify(execFile);

/** What can stand between an elder and the rest of its user's processes and files. */
export type Boundary =
  | {
      readonly kind: 'bubblewrap';
      readonly path: string;
      /** Given where root starts it: what makes it a process of a user of its own, in the wall. */
      readonly tools?: UserTools;
    }
  | { readonly kind: 'none'; readonly reason: string };

/** What of a tree decides which boundary can be made. */
export interface BoundaryQuestion {
  readonly name: string;
  readonly folder: StateFolder;
  readonly config: Pick<Config, 'isolation' | 'elderUsers'>;
}

/** Namespaces of an elder. Not the network: Redis and the other elders are reached by it. */
export const namespaceArguments: readonly string[] = [
  ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
  // The elder itself is process 1, so its end is the end of all that it started.
  '--as-pid-1',
];

const asRoot = process.geteuid?.() === 0;
const probed = new Map<string, Promise<Boundary>>();

/**
 * Gives bubblewrap's arguments that take from an elder what only root has, as long as it is root: the capabilities, and
 * settings of the kernel that are files. An ordinary user has neither.
 */
export function withoutRootsPower(boundary: Boundary): { capabilities: string[]; settings: string[] } {
  const isRoot = asRoot && boundary.kind === 'bubblewrap' && boundary.tools === undefined;
  return isRoot
    ? { capabilities: ['--cap-drop', 'ALL'], settings: kernelSettingsReadOnly() }
    : { capabilities: [], settings: [] };
}

/**
 * Finds the boundary that an elder gets under this configuration, by making one. Throws `sandbox_unavailable`
 * where the configuration demands one that cannot be made.
 */
export async function boundaryOf({ name, folder, config }: BoundaryQuestion): Promise<Boundary> {
  const { isolation, elderUsers } = config;
  if (isolation === 'none') return { kind: 'none', reason: 'the configuration says isolation: none' };
  const kind = isServant(name) ? 'servant' : 'other';
  const key = [kind, ...(asRoot ? [elderUsers, folder.project] : [])].join();
  const known = probed.get(key) ?? probe(kind, folder, elderUsers);
  probed.set(key, known);
  const boundary = await known;
  // bubblewrap may be installed meanwhile.
  if (boundary.kind === 'none') probed.delete(key);
  if (boundary.kind === 'none' && isolation === 'bubblewrap') {
    throw new ElderError('sandbox_unavailable', `isolation: bubblewrap, but ${name}: ${boundary.reason}`);
  }
  return boundary;
}

async function probe(kind: 'servant' | 'other', folder: StateFolder, firstUser: number): Promise<Boundary> {
  const found = findBubblewrap();
  if ('reason' in found) return { kind: 'none', reason: found.reason };
  const { path } = found;
  if (!asRoot) return attempt(kind, { kind: 'bubblewrap', path }, (command) => command);
  const tools = findUserTools(folder);
  const own =
    'reason' in tools
      ? ({ kind: 'none', reason: tools.reason } as const)
      : await attempt(kind, { kind: 'bubblewrap', path, tools }, (command) => {
          const places = mappedPlaces(
            folder,
            { command: path, args: () => [] },
            placesOf('task_sage', folder),
          );
          return asUser(tools, unusedUser(firstUser), places, command);
        });
  if (own.kind === 'bubblewrap' || kind === 'other') {
    return own.kind === 'bubblewrap'
      ? own
      : attempt(kind, { kind: 'bubblewrap', path }, (command) => command);
  }
  // Without root's capabilities no sandbox can be made inside for a task, with them every wall can be undone.
  return { kind: 'none', reason: `as root a servant needs a user of its own: ${own.reason}` };
}

/** Makes a boundary, and for a servant a sandbox within it, around a program that does nothing. */
async function attempt(
  kind: 'servant' | 'other',
  boundary: Extract<Boundary, { kind: 'bubblewrap' }>,
  become: (command: readonly string[]) => readonly string[],
): Promise<Boundary> {
  const { path } = boundary;
  const { capabilities, settings } = withoutRootsPower(boundary);
  const outer = [
    ...namespaceArguments,
    ...capabilities,
    '--ro-bind',
    '/',
    '/',
    '--proc',
    '/proc',
    ...settings,
  ];
  const inner = [
    '--unshare-pid',
    '--unshare-net',
    '--ro-bind',
    '/',
    '/',
    '--proc',
    '/proc',
    '--',
    '/bin/true',
  ];
  const within = kind === 'servant' ? [path, ...inner] : ['/bin/true'];
  const [file = '', ...args] = become([path, ...outer, '--', ...within]);
  try {
    await run(file, args, { env: {}, cwd: '/', timeout: 10_000, killSignal: 'SIGKILL' });
    return boundary;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return { kind: 'none', reason: `${path} cannot make it here: ${stderr?.trim() || message}` };
  }
}
