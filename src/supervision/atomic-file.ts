import { open, rename } from 'node:fs/promises';

let count = 0;

/**
 * Writes a file that only its owner reads (0600), so that whoever looks, even after a crash, sees all of the old or
 * all of the new text. Without `sync` that holds for crashes of processes, not of the host.
 */
export async function writeFileAtomic(
  path: string,
  text: string,
  { sync = true }: { sync?: boolean } = {},
): Promise<void> {
  count += 1;
  const temporary = `${path}.${process.pid}.${count}.tmp`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(text);
    if (sync) await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
