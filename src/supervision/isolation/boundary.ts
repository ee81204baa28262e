import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Config } from '../../protocol/config.ts';
import { ElderError } from '../../protocol/errors.ts';
import { isServant } from '../../protocol/roster.ts';
import { findBubblewrap, kernelSettingsReadOnly } from '../../telemetry/bubblewrap-program.ts';

const run = promisify(execFile);

/** What can stand between an elder and the rest of its user's processes and files. */
export type Boundary =
  | { readonly kind: 'bubblewrap'; readonly path: string }
  | { readonly kind: 'none'; readonly reason: string };

/** Namespaces of an elder. Not the network: Redis and the other elders are reached by it. */
export const namespaceArguments: readonly string[] = [
  ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
  // The elder itself is process 1, so its end is the end of all that it started.
  '--as-pid-1',
];

/** Capabilities are root's only; an ordinary user has none to drop. */
export function withoutCapabilities(): string[] {
  return process.geteuid?.() === 0 ? ['--cap-drop', 'ALL'] : [];
}

const probed = new Map<'servant' | 'other', Promise<Boundary>>();

/**
 * Finds the boundary that an elder gets under this configuration, by making one. Throws `sandbox_unavailable`
 * where the configuration demands one that cannot be made.
 */
export async function boundaryOf(name: string, isolation: Config['isolation']): Promise<Boundary> {
  if (isolation === 'none') return { kind: 'none', reason: 'the configuration says isolation: none' };
  const kind = isServant(name) ? 'servant' : 'other';
  const known = probed.get(kind) ?? probe(kind);
  probed.set(kind, known);
  const boundary = await known;
  // bubblewrap may be installed meanwhile.
  if (boundary.kind === 'none') probed.delete(kind);
  if (boundary.kind === 'none' && isolation === 'bubblewrap') {
    throw new ElderError('sandbox_unavailable', `isolation: bubblewrap, but ${name}: ${boundary.reason}`);
  }
  return boundary;
}

async function probe(kind: 'servant' | 'other'): Promise<Boundary> {
  const found = findBubblewrap();
  if ('reason' in found) return { kind: 'none', reason: found.reason };
  if (kind === 'servant' && process.geteuid?.() === 0) {
    // Without root's capabilities no sandbox can be made inside for a task, with them every wall can be undone.
    return { kind: 'none', reason: 'a servant of root cannot make sandboxes within a boundary' };
  }
  const outer = [...namespaceArguments, ...withoutCapabilities(), '--ro-bind', '/', '/', '--proc', '/proc'];
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
  const within = kind === 'servant' ? [found.path, ...inner] : ['/bin/true'];
  try {
    const options = { env: {}, timeout: 10_000, killSignal: 'SIGKILL' } as const;
    await run(found.path, [...outer, ...kernelSettingsReadOnly(), '--', ...within], options);
    return { kind: 'bubblewrap', path: found.path };
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return { kind: 'none', reason: `${found.path} cannot make it here: ${stderr?.trim() || message}` };
  }
}
