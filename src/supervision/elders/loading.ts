import { z } from 'zod';

/** What a new process says while it loads its program. No promise of it rejects. */
export interface Loading {
  /** The key that it said is its own (SPKI DER), of which nothing is proved; `null` when it said none. */
  readonly key: Promise<Buffer | null>;
  /** As `key`, as far as it is known now. */
  readonly keySoFar: () => Buffer | null;
  /** Its answer to the challenge, unchecked; `null` when there will never be one. */
  readonly answer: Promise<unknown>;
  /** Resolves when it has loaded its program, or will never. */
  readonly loaded: Promise<void>;
  /** Whether `loaded` has resolved. */
  readonly isOver: () => boolean;
}

const keyLine = z.object({ kind: z.literal('key_made'), publicKey: z.string() });
const loadedLine = z.object({ kind: z.literal('loaded') });

/** Reads what a new process says until it has loaded its program and has answered its challenge, in whatever order. */
export function followLoading(lines: AsyncIterator<unknown>): Loading {
  const key = Promise.withResolvers<Buffer | null>();
  const answer = Promise.withResolvers<unknown>();
  const loaded = Promise.withResolvers<void>();
  let known: Buffer | null = null;
  let isOver = false;
  let isAnswered = false;
  const follow = async () => {
    while (!isOver || !isAnswered) {
      const { value, done } = await lines.next();
      if (done) return;
      const said = keyLine.safeParse(value);
      if (said.success) {
        known ??= Buffer.from(said.data.publicKey, 'base64');
        key.resolve(known);
      } else if (loadedLine.safeParse(value).success) {
        isOver = true;
        loaded.resolve();
      } else {
        isAnswered = true;
        answer.resolve(value);
      }
    }
  };
  const end = () => {
    isOver = true;
    key.resolve(known);
    answer.resolve(null);
    loaded.resolve();
  };
  void follow().then(end, end);
  return {
    key: key.promise,
    keySoFar: () => known,
    answer: answer.promise,
    loaded: loaded.promise,
    isOver: () => isOver,
  };
}
