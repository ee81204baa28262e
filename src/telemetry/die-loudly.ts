import type { Logger } from './logger.ts';

/**
 * Ends this process with code 1 at the first rejection that nobody handles and the first exception that nobody
 * catches, once both the log and `note` have told why: half of a process must not go on.
 */
export function dieLoudly(log: Logger, note: (what: string, error: unknown) => void = () => {}): void {
  const die = (what: string) => (error: unknown) => {
    try {
      log.fatal({ error: String(error), stack: error instanceof Error ? error.stack : undefined }, what);
      note(what, error);
    } finally {
      process.exit(1);
    }
  };
  process.on('uncaughtException', die('uncaught exception'));
  process.on('unhandledRejection', die('unhandled rejection'));
}
