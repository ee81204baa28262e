import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ElderError } from '../../protocol/errors.ts';
import type { Session } from '../session.ts';

/** Has the user change a text in `$VISUAL` or `$EDITOR`. Throws `usage` where there is none, `interrupted` where it fails. */
export async function editText(text: string, { env }: Pick<Session, 'env'>): Promise<string> {
  const editor = env.VISUAL || env.EDITOR;
  if (!editor) throw new ElderError('usage', 'nothing to change: give options or a file, or set $EDITOR');
  const folder = mkdtempSync(join(tmpdir(), 'elders-edit-'));
  const path = join(folder, 'entry.md');
  try {
    writeFileSync(path, text, { mode: 0o600 });
    // By a shell, because the variable may hold arguments.
    const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'elders', path], { stdio: 'inherit' });
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0)
      throw new ElderError('interrupted', `the editor ended with exit code ${code}; nothing changed`);
    return readFileSync(path, 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
