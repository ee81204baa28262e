import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { createKeyPair, type KeyPair, proveKey, spkiOf } from '../../identity/key-proof.ts';
import type { ChildReport, FromChild, RedisLogins, StartOrder, ToChild } from '../../protocol/bootstrap.ts';
import { ElderError } from '../../protocol/errors.ts';
import { bootstrapFd } from '../../protocol/start-channel.ts';

/** What a child has once its manager knows its key. */
export interface Bootstrap {
  readonly keys: KeyPair;
  readonly order: StartOrder;
  /**
   * Its Redis users, which exist only once its predecessor can write no more. Rejects with `not_running` when the manager goes
   * away before.
   */
  readonly credentials: Promise<RedisLogins['credentials']>;
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
  /** Whether the manager has said last that now is the time for what can wait; always, once it has gone. */
  readonly isCalm: () => boolean;
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
  // Made before anybody waits for it. The private half never leaves this process.
  const keys = createKeyPair();
  say({ kind: 'key_made', publicKey: spkiOf(keys.publicKey).toString('base64') });
  const order = Promise.withResolvers<StartOrder>();
  const credentials = Promise.withResolvers<RedisLogins['credentials']>();
  let reasonNow: (() => string | null) | null = null;
  let isCalm = true;
  const hear = (line: ToChild) => {
    if (line.kind === 'challenge') say(proveKey(keys, line));
    else if (line.kind === 'start') order.resolve(line);
    else if (line.kind === 'credentials') credentials.resolve(line.credentials);
    else {
      isCalm = line.calm;
      say({ kind: 'alive', n: line.n, reason: reasonNow === null ? 'starting' : reasonNow() });
    }
  };
  const end = (error: unknown) => {
    isCalm = true;
    order.reject(error);
    credentials.reject(error);
  };
  follow(channel, hear).then(
    () => end(new ElderError('not_running', 'the manager went away before it gave its orders')),
    end,
  );
  const begin = async (): Promise<Bootstrap> => {
    const given = await order.promise;
    if (name !== null && given.name !== name) {
      throw new ElderError('denied', `started as ${name}, but the manager wants ${given.name}`);
    }
    return {
      ...{ keys, order: given, credentials: credentials.promise, report: say },
      answerProbes: (reason) => {
        reasonNow = reason;
      },
    };
  };
  const begun = begin();
  // Both are looked at when the program is loaded.
  begun.catch(() => undefined);
  credentials.promise.then(
    () => channel.unref(),
    () => undefined,
  );
  return { begun, loaded: () => say({ kind: 'loaded' }), isCalm: () => isCalm };
}

/** Resolves when the manager has gone; the next one asks over HTTPS. Rejects with the error of a line that is none. */
async function follow(channel: Socket, hear: (line: ToChild) => void): Promise<void> {
  try {
    for await (const text of createInterface({ input: channel })) hear(JSON.parse(text) as ToChild);
  } catch (error) {
    channel.destroy();
    throw error;
  }
}
