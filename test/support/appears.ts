import { once } from 'node:events';
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Resolves with the text of a file once there is some; its folder must exist. */
export async function appears(path: string): Promise<string> {
  // The watcher stands before the first look, so no change falls between the two.
  const watcher = watch(dirname(path));
  try {
    for (;;) {
      const changed = once(watcher, 'change');
      const text = await readFile(path, 'utf8').catch(() => '');
      if (text !== '') return text;
      await changed;
    }
  } finally {
    watcher.close();
  }
}
