import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ElderError } from '../../protocol/errors.ts';
import type { Session } from '../session.ts';

/**
 * Has the user change a text in `$VISUAL` or `$EDITOR`, and hands it to `use`; where that throws, what was written is kept
 * in its file and the user is told where. Throws `usage` where there is no editor, `conflict` where it fails.
 */
export async function editText<T>(
  text: string,
  { env, note, text: catalog }: Pick<Session, 'env' | 'note' | 'text'>,
  use: (edited: string) => Promise<T>,
): Promise<T> {
  const editor = env.VISUAL || env.EDITOR;
  if (!editor) throw new ElderError('usage', 'nothing to change: give options or a file, or set $EDITOR');
  const folder = mkdtempSync(join(tmpdir(), 'elders-edit-'));
  const path = join(folder, 'entry.md');
  let isKept = false;
  try {
    writeFileSync(path, text, { mode: 0o600 });
    // By a shell, because the variable may hold arguments.
    const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'elders', path], { stdio: 'inherit' });
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0)
      throw new ElderError('conflict', `the editor ended with exit code ${code}; nothing changed`);
    const edited = readFileSync(path, 'utf8');
    try {
      return await use(edited);
    } catch (error) {
      isKept = edited !== text;
      throw error;
    }
  } finally {
    if (isKept) note(catalog.knowledge.draft(path));
    else rmSync(folder, { recursive: true, force: true });
  }
}
