import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { glob, mkdir, open, realpath, rm } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { ArtifactList } from '../../../protocol/directive.ts';
import { ElderError } from '../../../protocol/errors.ts';
import { fileName } from '../../../protocol/file-name.ts';

const maxFiles = 200;
/** Bytes of all files of one attempt together. */
const maxBytes = 500_000_000;
const maxProblems = 10;
const maxPath = 512;

/** Where the artifacts of an attempt are kept. Throws `malformed` for an id that could lead elsewhere. */
export function artifactFolder(
  folder: string,
  { directiveId, taskId, attempt }: { directiveId: string; taskId: string; attempt: number },
): string {
  if (!Number.isSafeInteger(attempt) || attempt < 1) {
    throw new ElderError('malformed', `${attempt} is not the number of an attempt`);
  }
  return join(folder, fileName(directiveId), fileName(taskId), String(attempt));
}

/** Copies a regular file, at most so many bytes of it. Throws what stands in the way, and leaves nothing then. */
async function copy(
  source: string,
  target: string,
  room: number,
): Promise<{ bytes: number; sha256: string }> {
  // What was a file a moment ago may be a pipe by now, which nobody would ever write to.
  const from = await open(source, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size, mode } = await from.stat().then((found) => {
      if (!found.isFile()) throw new Error('it is no file');
      return found;
    });
    if (size > room) throw new Error(`the files to keep have more than ${maxBytes} bytes together`);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    const to = await open(target, 'wx', 0o600 | (mode & 0o100));
    const hash = createHash('sha256');
    const chunk = Buffer.alloc(262_144);
    let bytes = 0;
    try {
      for (;;) {
        const { bytesRead } = await from.read(chunk, 0, Math.min(chunk.length, room - bytes + 1));
        if (bytesRead === 0) break;
        bytes += bytesRead;
        if (bytes > room) throw new Error(`the files to keep have more than ${maxBytes} bytes together`);
        hash.update(chunk.subarray(0, bytesRead));
        await to.writeFile(chunk.subarray(0, bytesRead));
      }
    } catch (error) {
      await rm(target, { force: true });
      throw error;
    } finally {
      await to.close();
    }
    return { bytes, sha256: hash.digest('hex') };
  } finally {
    await from.close();
  }
}

/**
 * Keeps files that a command left below its workspace, whatever the end of the command. A pattern cannot leave the
 * workspace, nor can a link. Never rejects for a file: what is not kept is told.
 */
export async function keepArtifacts(options: {
  workspace: string;
  patterns: readonly string[];
  folder: string;
}): Promise<ArtifactList | undefined> {
  const { patterns, folder } = options;
  if (patterns.length === 0) return undefined;
  const root = await realpath(options.workspace);
  const files: ArtifactList['files'] = [];
  const problems: string[] = [];
  const tell = (name: string, error: unknown) =>
    problems.length < maxProblems &&
    problems.push(`${name}: ${(error as Error).message.split('\n')[0]}`.slice(0, 300));
  const seen = new Set<string>();
  let room = maxBytes;
  for await (const entry of glob([...patterns], { cwd: root, withFileTypes: true })) {
    const found = join(entry.parentPath, entry.name);
    const name = relative(root, found);
    if (entry.isDirectory() || seen.has(name)) continue;
    seen.add(name);
    try {
      const path = await realpath(found);
      if (!path.startsWith(`${root}${sep}`) || name.startsWith('..'))
        throw new Error('it lies outside of the workspace');
      if (name.length > maxPath) throw new Error(`its path is longer than ${maxPath} characters`);
      if (files.length >= maxFiles) throw new Error(`more than ${maxFiles} files; the others were not kept`);
      const kept = await copy(path, join(folder, name), room);
      room -= kept.bytes;
      files.push({ path: name, ...kept });
    } catch (error) {
      tell(name, error);
      if (files.length >= maxFiles) break;
    }
  }
  if (files.length === 0 && problems.length === 0)
    problems.push(`no file matches ${patterns.join(' ')}`.slice(0, 300));
  return { folder, files, problems };
}
