import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

interface LockEntry {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

/** The parts of `package-lock.json` that matter here. */
export interface Lock {
  packages: Record<string, LockEntry>;
}

const systems = [
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'];

/** Lists the optional dependencies of locked packages that the lock does not hold, as [holder, name, version]. */
export function missingOptionals(lock: Lock): [string, string, string][] {
  return Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !(`${path}/node_modules/${name}` in lock.packages))
      .filter(([name]) => !(`node_modules/${name}` in lock.packages))
      .map(([name, version]): [string, string, string] => [path, name, version]),
  );
}

/** Describes a package for another platform by its name. Throws where name or version do not tell enough. */
function platformEntry(holder: LockEntry, name: string, version: string): LockEntry {
  const words = name.split(/[-/]/);
  const os = systems.find((system) => words.includes(system));
  const cpu = processors.find((processor) => words.includes(processor));
  if (!os || !cpu || !/^\d+\.\d+\.\d+$/.test(version))
    throw new Error(`cannot tell what ${name}@${version} is`);
  const libc = os !== 'linux' ? [] : words.some((word) => word.startsWith('musl')) ? ['musl'] : ['glibc'];
  return {
    version,
    cpu: [cpu],
    ...(holder.dev ? { dev: true } : {}),
    ...(libc.length > 0 ? { libc } : {}),
    optional: true,
    os: [os],
  };
}

if (import.meta.main) {
  // npm leaves out of the lock what its registry did not give it, such as binaries for other platforms on a
  // partial mirror, and `npm ci` then refuses the lock. Run this after each `npm install PACKAGE`.
  const path = resolve(import.meta.dirname, '../package-lock.json');
  const lock: Lock = JSON.parse(readFileSync(path, 'utf8'));
  for (const [holder, name, version] of missingOptionals(lock)) {
    lock.packages[`node_modules/${name}`] = platformEntry(lock.packages[holder] ?? {}, name, version);
  }
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
}
