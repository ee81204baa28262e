import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DirectiveSpec } from '../../protocol/directive.ts';
import { readDirective } from '../../protocol/directive-file.ts';
import { ElderError } from '../../protocol/errors.ts';
import { maxMessageBytes } from '../../protocol/message.ts';
import { throwProblems } from '../config/load-config.ts';
import { readInput } from '../read-input.ts';

/** What a message needs besides the directive. */
const envelopeBytes = 4_096;

/**
 * Reads a directive and makes its workspace absolute, seen from `cwd`. Throws `usage`, `directive_invalid` with
 * every problem and its place, or `too_large`.
 */
export async function loadDirective(file: string, cwd: string): Promise<DirectiveSpec> {
  const text = await readInput(file === '-' ? file : resolve(cwd, file));
  const shown = file === '-' ? 'standard input' : file;
  const read = readDirective(text);
  if (!read.ok) return throwProblems('directive_invalid', shown, read.problems);
  const workspace = resolve(cwd, read.spec.workspace);
  const found = statSync(workspace, { throwIfNoEntry: false });
  if (!found?.isDirectory()) {
    const what = found ? 'is not a folder' : 'does not exist';
    const message = `the workspace ${workspace} ${what}`;
    const place = read.at(['workspace'], 'key');
    return throwProblems('directive_invalid', shown, [
      { path: 'workspace', ...place, code: 'workspace_missing', message },
    ]);
  }
  const spec = { ...read.spec, workspace };
  const bytes = Buffer.byteLength(JSON.stringify(spec));
  if (bytes > maxMessageBytes - envelopeBytes) {
    throw new ElderError(
      'too_large',
      `the directive has ${bytes} bytes; a message has at most ${maxMessageBytes}`,
    );
  }
  return spec;
}
