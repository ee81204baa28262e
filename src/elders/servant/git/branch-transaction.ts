import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type AttemptFence, type BranchMove, moveOf } from './attempt-fence.ts';
import { type GitEnd, type GitPlace, startGit } from './git-command.ts';

/**
 * Moves a branch as `moveBranch` does, and in between, while git holds branch and fence, does `whileHeld`: the branch moves
 * only if that succeeds. If this process dies git lets go of both and has moved nothing. Gives what failed, or success.
 */
export async function moveBranchWith(
  place: GitPlace,
  fence: AttemptFence,
  move: BranchMove & { reason: string },
  whileHeld: () => Promise<GitEnd>,
): Promise<GitEnd> {
  const child = startGit(place, ['update-ref', '-m', move.reason, '--stdin']);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined);
  const closed = once(child, 'close') as Promise<[number | null]>;
  closed.catch(() => undefined);
  const ready = Promise.withResolvers<boolean>();
  createInterface({ input: child.stdout })
    .on('line', (line) => line === 'prepare: ok' && ready.resolve(true))
    .on('close', () => ready.resolve(false));
  child.stdin.write(`start\n${moveOf(fence, move)}prepare\n`);
  let failure: GitEnd | undefined;
  try {
    if (await ready.promise) {
      const held = await whileHeld();
      if (held.code !== 0) failure = held;
      child.stdin.write(failure ? 'abort\n' : 'commit\n');
    }
  } finally {
    child.stdin.end();
  }
  const [code] = await closed;
  return failure ?? { code: code ?? 128, stdout: '', stderr };
}
