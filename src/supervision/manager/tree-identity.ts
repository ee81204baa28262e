import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ElderError } from '../../protocol/errors.ts';
import { writeFileAtomic } from '../atomic-file.ts';

const treeFile = z.object({ id: z.string().regex(/^t[0-9a-f]{10}$/), createdAt: z.number() });

/** Reads the id of a tree from its file, or makes one. Throws `config_invalid` when the file is damaged. */
export async function loadTreeId(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const id = `t${randomBytes(5).toString('hex')}`;
    await writeFileAtomic(path, JSON.stringify({ id, createdAt: Date.now() }));
    return id;
  }
  try {
    return treeFile.parse(JSON.parse(text)).id;
  } catch (cause) {
    throw new ElderError('config_invalid', `${path} does not hold the id of a tree`, { cause });
  }
}
