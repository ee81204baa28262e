import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ElderOrder, FromElder, ToElder } from './child-protocol.ts';

/** How an elder's process ended; `reason` is what it said last, if it said why. */
export interface Ending {
  readonly code: string;
  readonly reason: string;
}

/** One elder of the run as the driver holds it: exactly this process, until it has ended. */
export class ElderProcess {
  readonly order: ElderOrder;
  readonly #child: ChildProcess;
  readonly started: Promise<void>;
  readonly ended: Promise<Ending>;

  constructor(order: ElderOrder, listener: (message: FromElder, from: ElderProcess) => void) {
    this.order = order;
    const output = openSync(join(order.evidence, `output.${order.name}.${order.maker}`), 'a');
    this.#child = spawn(process.execPath, [join(import.meta.dirname, 'elder.ts')], {
      stdio: ['ignore', output, output, 'ipc'],
      env: {
        ...(process.env.PATH !== undefined && { PATH: process.env.PATH }),
        // As the product does: on two cores the starts of all processes at once are most of a recovery.
        NODE_COMPILE_CACHE: join(dirname(order.evidence), 'compiled'),
      },
    });
    closeSync(output);
    const started = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<Ending>();
    this.started = started.promise;
    this.ended = ended.promise;
    let failure: Ending | null = null;
    this.#child.on('message', (message: FromElder) => {
      if (message.kind === 'started') started.resolve();
      if (message.kind === 'failed') failure = { code: message.code, reason: message.reason };
      listener(message, this);
    });
    this.#child.on('error', (error) => ended.resolve({ code: 'spawn', reason: error.message }));
    this.#child.on('close', (code, signal) =>
      ended.resolve(failure ?? { code: signal ?? String(code), reason: '' }),
    );
    this.tell(order);
  }

  tell(message: ToElder): void {
    // A process that is gone needs to be told nothing.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
