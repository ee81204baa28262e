import { ElderError } from '../protocol/errors.ts';
import { exitCodes } from '../protocol/exit-codes.ts';

/** Gives a signal that aborts with `interrupted` on SIGINT, SIGTERM or SIGHUP; a second one ends the process at once. */
export function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCodes.interrupted);
      controller.abort(new ElderError('interrupted', name));
    });
  }
  return controller.signal;
}
