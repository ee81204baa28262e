import { closeSync, writeSync } from 'node:fs';
import { asElderError, ElderError } from '../../../protocol/errors.ts';
import type { ManagerEvent } from '../../../protocol/local-api.ts';
import { systemdNotifier } from '../../../supervision/init/systemd-notifier.ts';
import type { CommandInput } from '../../command-spec.ts';
import { launch } from '../../launch.ts';
import type { Session } from '../../session.ts';
import { managerEventText } from '../../tree/manager-event-text.ts';
import { startInBackground } from '../../tree/start-in-background.ts';
import { packageVersion } from '../../version.ts';

/** The first signal drains the tree, the second kills it. */
function listenToSignals(session: Session): { signal: AbortSignal; killSignal: AbortSignal } {
  const drain = new AbortController();
  const kill = new AbortController();
  const onSignal = () => {
    if (!drain.signal.aborted) {
      session.note(session.text.up.draining);
      drain.abort(new ElderError('interrupted', 'signal'));
      return;
    }
    session.note(session.text.up.killing);
    kill.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  return { signal: drain.signal, killSignal: kill.signal };
}

/** Writes events for whoever started this process in the background, until that one has seen enough. */
function eventWriter(fd: number): (line: object) => void {
  let open = true;
  return (line) => {
    if (!open) return;
    try {
      writeSync(fd, `${JSON.stringify(line)}\n`);
    } catch {
      open = false;
      closeSync(fd);
    }
  };
}

async function runInForeground(session: Session, input: CommandInput): Promise<void> {
  const fd = input.number('events-fd');
  const tell = fd === undefined ? undefined : eventWriter(fd);
  const systemd = systemdNotifier({ env: process.env, pid: process.pid, onError: session.note });
  const onEvent = (event: ManagerEvent) => {
    if (event.kind === 'tree_ready') void systemd?.ready(managerEventText(event, session.text));
    if (event.kind === 'stopping' && event.name === null) {
      void systemd?.stopping(managerEventText(event, session.text));
    }
    // In the background the log tells it.
    if (tell) tell(event);
    else if (session.json) session.printItem(event, () => '');
    else session.note(managerEventText(event, session.text));
  };
  try {
    const { runManager } = await import('../../../supervision/manager/manager.ts');
    const { project, config } = await session.config(flags(input));
    const signals = listenToSignals(session);
    const version = packageVersion();
    const loadConfig = async () => (await session.config(flags(input))).config;
    const options = {
      project: project.folder,
      config,
      version,
      launch,
      onEvent,
      loadConfig,
      ownsProcess: true,
      ...signals,
    };
    const manager = await runManager(options);
    await manager.done;
  } catch (thrown) {
    tell?.({ error: asElderError(thrown).toJSON() });
    throw thrown;
  } finally {
    systemd?.close();
  }
}

function flags(input: CommandInput): Record<string, unknown> {
  return {
    portBase: input.number('port-base'),
    servants: input.number('servants'),
    // Left out where it is not given, so that it does not override the file.
    allowInsecureRedis: input.flag('allow-insecure-redis') || undefined,
  };
}

/** Starts the tree: in this process, or with `--detach` in one of its own. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  if (input.flag('wait') && !input.flag('detach')) {
    throw new ElderError('usage', '--wait goes with --detach; without it `up` stays in the foreground');
  }
  if (!input.flag('detach')) return runInForeground(session, input);
  // Checked here too, so that its problems are told at once and in place.
  await session.config(flags(input));
  await startInBackground(session, { wait: input.flag('wait'), flags: flags(input) });
}
