import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
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
 * not write to it. Never throws: without the cache they start more slowly.
 */
export async function warmCompileCache(cache: string): Promise<void> {
  try {
    const stamp = `warm-${fingerprint()}`;
    if (existsSync(join(cache, stamp))) return;
    const load = `require('node:module').enableCompileCache(${JSON.stringify(cache)}); import(${JSON.stringify(modules.href)})`;
    await run(process.execPath, ['-e', load], { env: {}, timeout: 30_000, killSignal: 'SIGKILL' });
    mkdirSync(cache, { recursive: true });
    for (const old of readdirSync(cache)) if (stampName.test(old)) rmSync(join(cache, old));
    writeFileSync(join(cache, stamp), '');
  } catch {
    // A home that cannot be written to, for one.
  }
}

/** Changes with the version of Node and with every file of the program. */
function fingerprint(): string {
  const hash = createHash('sha256').update(process.version);
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    hash.update(`${path}\0${statSync(path).mtimeMs}\0`);
  }
  return hash.digest('hex').slice(0, 16);
}
