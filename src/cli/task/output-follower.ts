import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';

const blockBytes = 65_536;

/**
 * Yields what stands in a file and, until `ended` settles, what is appended; the kernel tells of changes, nothing is
 * polled. A file that is not there yet is waited for.
 */
export async function* followFile(
  path: string,
  ended: Promise<unknown>,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  let wake = Promise.withResolvers<void>();
  const watcher: FSWatcher = watch(dirname(path), (_, name) => {
    if (name === null || name === basename(path)) wake.resolve();
  });
  const stop = () => wake.resolve();
  signal.addEventListener('abort', stop, { once: true });
  let over = false;
  const finish = () => {
    over = true;
    wake.resolve();
  };
  // Who waits for the end hears why it failed; here nothing more would tell of it.
  ended.then(finish, finish);
  let file: FileHandle | null = null;
  const decoder = new StringDecoder('utf8');
  const block = Buffer.alloc(blockBytes);
  try {
    while (!signal.aborted) {
      const last = over;
      const changed = wake.promise;
      file ??= await open(path, 'r').catch(() => null);
      for (;;) {
        const { bytesRead } = (await file?.read(block, 0, blockBytes)) ?? { bytesRead: 0 };
        if (bytesRead === 0) break;
        yield decoder.write(block.subarray(0, bytesRead));
      }
      // What was written before the end was told is read by now.
      if (last) return;
      await changed;
      wake = Promise.withResolvers<void>();
      if (over) wake.resolve();
    }
  } finally {
    watcher.close();
    signal.removeEventListener('abort', stop);
    await file?.close();
  }
}
