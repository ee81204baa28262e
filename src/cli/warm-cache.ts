import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const stampName = /^warm-[0-9a-f]{16}$/;
const root = fileURLToPath(new URL('..', import.meta.url));
const modules = new URL(
  import.meta.url.endsWith('.ts') ? 'elder-modules.ts' : 'elder-modules.js',
  import.meta.url,
);

/**
 * Fills the compile cache with the program of the elders, unless it holds it already: elders themselves may
 * not write to it. Gives the folder in it that Node fills for this user and these options. Never throws: without
 * the cache they start more slowly, and there is no folder.
 */
export async function warmCompileCache(cache: string, options: readonly string[]): Promise<string | null> {
  try {
    const stamp = join(cache, `warm-${fingerprint(options)}`);
    return readStamp(stamp) ?? (await warm(cache, options, stamp));
  } catch {
    // A home that cannot be written to, for one.
    return null;
  }
}

function readStamp(stamp: string): string | null {
  try {
    const folder = readFileSync(stamp, 'utf8');
    return existsSync(folder) ? folder : null;
  } catch {
    return null;
  }
}

async function warm(cache: string, options: readonly string[], stamp: string): Promise<string> {
  const load =
    `const m = require('node:module'); m.enableCompileCache(${JSON.stringify(cache)}); ` +
    `import(${JSON.stringify(modules.href)}).then(() => process.stdout.write(m.getCompileCacheDir()))`;
  const limits = { env: {}, timeout: 30_000, killSignal: 'SIGKILL' } as const;
  const { stdout } = await run(process.execPath, [...options, '-e', load], limits);
  for (const old of readdirSync(cache)) if (stampName.test(old)) rmSync(join(cache, old));
  writeFileSync(stamp, stdout);
  return stdout;
}

/** Changes with the version of Node, its options, its user, and with every file of the program. */
function fingerprint(options: readonly string[]): string {
  const hash = createHash('sha256').update(`${process.version} ${process.getuid?.()} ${options.join(' ')}`);
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    hash.update(`${path}\0${statSync(path).mtimeMs}\0`);
  }
  return hash.digest('hex').slice(0, 16);
}
