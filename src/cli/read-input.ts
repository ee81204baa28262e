import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { ElderError } from '../protocol/errors.ts';

/** Reads a file that a person named, `-` being standard input. Throws `usage` if it cannot be read. */
export async function readInput(file: string): Promise<string> {
  if (file === '-') return text(process.stdin);
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : message;
    throw new ElderError('usage', `${file} cannot be read: ${why}`, { cause });
  }
}
