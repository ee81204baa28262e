import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { AuditEntry } from '../../protocol/audit.ts';
import type { Config } from '../../protocol/config.ts';
import { writeFileAtomic } from '../atomic-file.ts';

/** Settings whose values hold passwords: only that they changed is told. */
const secretSettings: ReadonlySet<string> = new Set(['redis']);
const flat = z.record(z.string(), z.json());
type Flat = z.infer<typeof flat>;

function flatten(value: object, path: readonly string[] = []): Flat {
  const settings: Flat = {};
  for (const [key, part] of Object.entries(value)) {
    const name = [...path, key].join('.');
    if (secretSettings.has(name)) {
      settings[name] = `sha256:${createHash('sha256').update(JSON.stringify(part)).digest('hex')}`;
    } else if (typeof part === 'object' && part !== null && !Array.isArray(part)) {
      Object.assign(settings, flatten(part, [...path, key]));
    } else {
      settings[name] = part as Flat[string];
    }
  }
  return settings;
}

/**
 * Compares the configuration with the one that the tree ran with before, which stands in `folder`: gives what is to be
 * audited, or `null` if nothing changed. `keep` makes it the one to compare the next with.
 */
export async function configChange(
  folder: string,
  config: Config,
): Promise<{ entry: AuditEntry; keep: () => Promise<void> } | null> {
  const path = join(folder, 'config.json');
  const now = flatten(config);
  const before = await readFlat(path);
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(now)])].sort();
  const changed = names.filter((name) => JSON.stringify(before?.[name]) !== JSON.stringify(now[name]));
  if (before && changed.length === 0) return null;
  const values = before
    ? changed.map((name) => [name, { from: before[name] ?? null, to: now[name] ?? null }])
    : [];
  const entry: AuditEntry = {
    kind: 'configuration',
    event: before ? 'changed' : 'first',
    by: 'manager',
    reason: before ? changed.join(', ') : null,
    detail: before ? { changed: Object.fromEntries(values) } : { settings: now },
  };
  return { entry, keep: () => writeFileAtomic(path, JSON.stringify(now)) };
}

async function readFlat(path: string): Promise<Flat | null> {
  try {
    return flat.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    // None yet, or one that is damaged: then all settings are told anew.
    return null;
  }
}
