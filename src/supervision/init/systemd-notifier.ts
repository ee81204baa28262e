import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What systemd puts into the environment of a service that it wants to hear from. */
export interface NotifyEnvironment {
  readonly NOTIFY_SOCKET?: string | undefined;
  readonly WATCHDOG_USEC?: string | undefined;
  readonly WATCHDOG_PID?: string | undefined;
  readonly PATH?: string | undefined;
}

interface NotifierOptions {
  readonly env: NotifyEnvironment;
  readonly pid: number;
  /** Told, once for each failure, that systemd could not be told something. */
  readonly onError: (reason: string) => void;
}

/** Tells systemd about this service. */
export interface SystemdNotifier {
  /** It serves; from now on the watchdog is fed for as long as this process's event loop turns. */
  ready(status: string): Promise<void>;
  /** It is about to end; the watchdog is fed on. */
  stopping(status: string): Promise<void>;
  close(): void;
}

/** Node has no datagram sockets of the Unix kind, so the program that comes with systemd sends for it. */
const program = 'systemd-notify';
/** How many times the watchdog is fed within its period. */
const feedsPerPeriod = 3;

/** Gives what tells systemd about this process; `null` where systemd does not ask. */
export function systemdNotifier({ env, pid, onError }: NotifierOptions): SystemdNotifier | null {
  const { NOTIFY_SOCKET, PATH } = env;
  if (!NOTIFY_SOCKET) return null;
  let timer: NodeJS.Timeout | undefined;
  const send = async (...assignments: readonly string[]): Promise<void> => {
    const child = spawn(program, assignments, {
      env: { NOTIFY_SOCKET, ...(PATH === undefined ? {} : { PATH }) },
      stdio: 'ignore',
    });
    try {
      const [code, signal] = await once(child, 'exit');
      if (code !== 0) onError(`${program} ${assignments.join(' ')}: ${signal ?? `exit code ${code}`}`);
    } catch (error) {
      onError(`${program}: ${(error as Error).message}`);
    }
  };
  const periodMs = watchdogPeriod(env, pid);
  return {
    async ready(status) {
      await send('READY=1', `STATUS=${status}`);
      if (periodMs === null || timer !== undefined) return;
      timer = setInterval(() => void send('WATCHDOG=1'), periodMs / feedsPerPeriod);
      timer.unref();
    },
    stopping: (status) => send('STOPPING=1', `STATUS=${status}`),
    close: () => clearInterval(timer),
  };
}

/** Ms within which systemd wants to hear from this process; `null` where it does not. */
function watchdogPeriod({ WATCHDOG_USEC, WATCHDOG_PID }: NotifyEnvironment, pid: number): number | null {
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(pid)) return null;
  const ms = Number(WATCHDOG_USEC) / 1_000;
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}
