import { existsSync } from 'node:fs';

/**
 * Folders of the system only, never PATH: `npm run` puts a folder of the project first there, into which a
 * sandboxed command could lay a program of this name for the next process of the tree to run.
 */
const folders = ['/usr/bin', '/bin', '/usr/local/bin', '/run/current-system/sw/bin'];

/** Settings of the kernel that files in `/proc` let the real root change, whatever namespace it is in. */
const kernelSettings = ['sys', 'irq', 'bus', 'fs', 'acpi', 'driver', 'scsi', 'mtrr', 'sysrq-trigger'];

/** Finds bubblewrap on this host. */
export function findBubblewrap(): { path: string } | { reason: string } {
  if (process.platform !== 'linux') return { reason: `bubblewrap needs Linux; this is ${process.platform}` };
  const path = folders.map((folder) => `${folder}/bwrap`).find((file) => existsSync(file));
  return path === undefined
    ? { reason: `bubblewrap is not installed: no bwrap in ${folders.join(', ')}` }
    : { path };
}

/**
 * Gives the arguments of bubblewrap that make settings of the kernel read-only for a process of root; they come
 * after `--proc`. For an ordinary user there are none: he may not write them anyway.
 */
export function kernelSettingsReadOnly(): string[] {
  if (process.geteuid?.() !== 0) return [];
  return kernelSettings
    .map((name) => `/proc/${name}`)
    .filter((path) => existsSync(path))
    .flatMap((path) => ['--ro-bind', path, path]);
}
