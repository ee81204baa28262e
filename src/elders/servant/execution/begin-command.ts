import { closeSync, openSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { markVariable } from '../../../telemetry/marked-processes.ts';
import type { CommandPlan } from './command-plan.ts';
import { commandShell } from './guard-script.ts';
import { type GuardedProcess, launch } from './guarded-process.ts';
import type { Launcher } from './launcher/launcher.ts';
import { canOrder } from './launcher/order.ts';
import { openOutputPipe } from './output-pipe.ts';
import { limitProcesses } from './process-quota.ts';
import type { CommandOptions } from './run-command.ts';
import { removeSandboxRecord, writeSandboxRecord } from './sandbox-record.ts';
import { standBack } from './stand-back.ts';

/** How long a sandbox may take to be set up, in ms. */
const setUpMs = 30_000;

/** A command that has begun, and where its output comes from. */
interface Begun {
  readonly guarded: GuardedProcess;
  readonly reader: Socket;
}

/** Puts the record on disk and has the command begin. Throws what `launch` throws, and leaves no record then. */
export async function beginCommand(plan: CommandPlan, options: CommandOptions): Promise<Begun> {
  const { recordPath, directiveId, taskId, attempt, launcher } = options;
  const { kind } = plan.sandbox;
  const starter =
    launcher && kind === 'none' && canOrder(plan.environment) && launcher.niceness === plan.limits.niceness
      ? launcher
      : undefined;
  const mark = starter?.mark ?? plan.mark;
  try {
    writeSandboxRecord(recordPath, { mark, kind, directiveId, taskId, attempt, startedAt: Date.now() });
    // Where no namespace holds them, what leaves its group and its session is known by this.
    const marked = { ...plan, environment: { ...plan.environment, [markVariable]: mark } };
    if (starter) return await byLauncher(starter, marked, options);
    return await bySelf(kind === 'none' ? marked : plan, options);
  } catch (error) {
    removeSandboxRecord(recordPath);
    throw error;
  }
}

async function byLauncher(launcher: Launcher, plan: CommandPlan, { signal }: CommandOptions): Promise<Begun> {
  const { path, reader } = await launcher.openPipe();
  try {
    const { workspace, environment, limits, commandLine } = plan;
    const order = {
      workspace,
      environment,
      limits,
      command: [...commandShell(), commandLine],
      output: path,
    };
    return { guarded: await launcher.launch(order, signal), reader };
  } catch (error) {
    reader.destroy();
    throw error;
  }
}

async function bySelf(plan: CommandPlan, { recordPath, signal, launcher }: CommandOptions): Promise<Begun> {
  const limits = [AbortSignal.timeout(setUpMs)];
  if (signal) limits.push(signal);
  const pipe = await openOutputPipe();
  const report = openUnnamedFile(`${recordPath}.report`);
  try {
    const { mark, sandbox } = plan;
    const { processes, niceness } = plan.limits;
    const guarded = await launch({ ...plan, output: pipe.writer, report }, AbortSignal.any(limits));
    // The elders themselves must not starve beside it.
    const left = standBack(guarded.identity.pid, niceness);
    void guarded.ended.then(left, left);
    if (sandbox.kind === 'bubblewrap') limitProcesses({ mark, pid: guarded.identity.pid, processes });
    if (launcher) watchedBy(launcher, guarded);
    guarded.begin();
    return { guarded, reader: pipe.reader };
  } catch (error) {
    pipe.reader.destroy();
    throw error;
  } finally {
    pipe.closeWriter();
    closeSync(report);
  }
}

function watchedBy(launcher: Launcher, { group, ended }: GuardedProcess): void {
  launcher.watch(group);
  const over = () => launcher.over();
  void ended.then(over, over);
}

/** Opens a file that no other process can come by. */
function openUnnamedFile(path: string): number {
  const file = openSync(path, 'w+', 0o600);
  rmSync(path);
  return file;
}
