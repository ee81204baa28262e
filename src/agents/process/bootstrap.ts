import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { createKeyPair, type KeyPair, proveKey, spkiOf } from '../../identity/key-proof.ts';
import type { Challenge, ChildReport, FromChild, StartOrder, ToChild } from '../../protocol/bootstrap.ts';
import { ElderError } from '../../protocol/errors.ts';
import { bootstrapFd } from '../../protocol/start-channel.ts';

/** What a child has once its manager knows its key. */
export interface Bootstrap {
  readonly challenge: Challenge;
  readonly keys: KeyPair;
  readonly order: StartOrder;
  /** Tells the manager how this process is; does nothing once the manager has gone. */
  report(report: ChildReport): void;
  /** Answers from now on each probe of the manager with why this process cannot serve, or `null`. */
  answerProbes(reason: () => string | null): void;
}

/** A new process that is being told who it is while it loads its program. */
export interface Bootstrapping {
  /** Rejects with `not_running` when the manager goes away before it gave its orders. */
  readonly begun: Promise<Bootstrap>;
  /** Tells the manager that the program is loaded. */
  loaded(): void;
}

/**
 * Makes the key of this new process, proves it to its manager on the inherited descriptor and receives its orders.
 * With `null` for its name it becomes whom the manager says, whenever that is. Throws `usage` without a manager.
 */
export function beginBootstrap(name: string | null): Bootstrapping {
  let channel: Socket;
  try {
    channel = new Socket({ fd: bootstrapFd, readable: true, writable: true });
  } catch (cause) {
    throw new ElderError('usage', `elder ${name ?? ''} is started by the manager, not by hand`, { cause });
  }
  // The manager may die at any time; this process goes on and is adopted by the next one.
  channel.on('error', () => channel.destroy());
  const say = (line: FromChild) => {
    if (channel.writable) channel.write(`${JSON.stringify(line)}\n`);
  };
  const lines = createInterface({ input: channel })[Symbol.asyncIterator]();
  const hear = async <K extends ToChild['kind']>(kind: K): Promise<Extract<ToChild, { kind: K }>> => {
    const { value, done } = await lines.next();
    if (done) throw new ElderError('not_running', 'the manager went away before it gave its orders');
    const line = JSON.parse(value) as ToChild;
    if (line.kind !== kind)
      throw new ElderError('malformed', `expected ${kind} from the manager, got ${line.kind}`);
    return line as Extract<ToChild, { kind: K }>;
  };
  // Made before anybody waits for it. The private half never leaves this process.
  const keys = createKeyPair();
  say({ kind: 'key_made', publicKey: spkiOf(keys.publicKey).toString('base64') });
  // A manager that was killed breaks the channel off, and this process goes on.
  const answerProbes = (reason: () => string | null) =>
    void answer(lines, say, reason).catch(() => channel.destroy());
  const begin = async (): Promise<Bootstrap> => {
    const challenge = await hear('challenge');
    if (name !== null && challenge.name !== name) {
      throw new ElderError('denied', `started as ${name}, but the manager wants ${challenge.name}`);
    }
    say(proveKey(keys, challenge));
    const order = await hear('start');
    channel.unref();
    return { challenge, keys, order, report: say, answerProbes };
  };
  const begun = begin();
  // Looked at when the program is loaded.
  begun.catch(() => undefined);
  return { begun, loaded: () => say({ kind: 'loaded' }) };
}

/** Resolves when the manager has gone; the next one asks over HTTPS. */
async function answer(
  lines: AsyncIterator<string>,
  say: (line: FromChild) => void,
  reason: () => string | null,
): Promise<void> {
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    const line = JSON.parse(next.value) as ToChild;
    if (line.kind === 'probe') say({ kind: 'alive', n: line.n, reason: reason() });
  }
}
