import type { ChildProcess } from 'node:child_process';
import { unlinkSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { ElderError } from '../../../../protocol/errors.ts';
import { endMarkedProcesses, newProcessMark } from '../../../../telemetry/marked-processes.ts';
import type { GuardedProcess } from '../guarded-process.ts';
import type { OutputPipe } from '../output-pipe.ts';
import { killGroup, waitUntilGroupGone } from '../process-group.ts';
import { standBack } from '../stand-back.ts';
import { launcherFd } from './launcher-script.ts';
import { Lines } from './lines.ts';
import { type Order, orderText } from './order.ts';
import { openReader, pipeNames } from './pipes.ts';
import { type LauncherOptions, spawnLauncher } from './spawn-launcher.ts';

/** How long the rest of a killed group may take to vanish, in ms. */
const vanishMs = 10_000;
/** How often the launcher is told how long the lease of a command still holds, in ms. */
const beatMs = 1_000;

/**
 * A small process beside the servant that starts its commands: to copy itself costs it a fraction of what it costs the servant. It
 * also ends them when the servant dies, or does not say in time that the lease still holds, as one that is stopped cannot.
 * One command at a time.
 */
export class Launcher {
  readonly mark: string;
  readonly niceness: number;
  readonly #options: LauncherOptions;
  readonly #child: ChildProcess;
  readonly #control: Socket;
  readonly #lines: Lines;
  readonly #pipes = pipeNames();
  #alive = true;
  /** How many commands. */
  #launched = 0;
  #leaseEnd = 0;
  #beat: NodeJS.Timeout | undefined;
  #backstop: NodeJS.Timeout | undefined;

  private constructor(options: LauncherOptions, mark: string, child: ChildProcess) {
    this.#options = options;
    this.mark = mark;
    this.niceness = options.niceness;
    this.#child = child;
    this.#control = child.stdio[launcherFd] as Socket;
    this.#lines = new Lines(this.#control);
    // Its connection does not end with it while a command goes on.
    child.on('exit', () => this.#lines.end());
    child.on('error', () => this.#lines.end());
    this.#lines.onEnd(() => {
      this.#alive = false;
      clearInterval(this.#beat);
    });
  }

  /** Starts one; `undefined` where that is not possible, such as with an older bash. */
  static async start(options: LauncherOptions): Promise<Launcher | undefined> {
    const mark = newProcessMark();
    const child = spawnLauncher(options, mark);
    const launcher = new Launcher(options, mark, child);
    launcher.#expectAnswer();
    const isReady = (await launcher.#lines.next()) === 'ready';
    clearTimeout(launcher.#backstop);
    if (!isReady) return undefined;
    standBack(child.pid as number, options.niceness);
    launcher.#unref();
    return launcher;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Says for how long (ms) commands may go on without another word. */
  hold(ms: number): void {
    this.#leaseEnd = performance.now() + ms;
    if (this.#beat) this.#tellLease();
  }

  /** Has a group ended that was started otherwise, if this process is stopped or dies. */
  watch(group: number): void {
    this.#begin(`watch ${group}`);
  }

  /** A group that was watched has ended. */
  over(): void {
    this.#end();
    this.#say('over');
  }

  /** Ends the launcher with what it runs. */
  close(): void {
    this.#control.end();
  }

  /** Gives a pipe for the output of the next command, which its order names. */
  async openPipe(): Promise<Pick<OutputPipe, 'reader'> & { readonly path: string }> {
    let name = this.#pipes.take();
    if (name === undefined) {
      this.#control.ref();
      this.#say(`pipes ${this.#pipes.refill().join(' ')}`);
      await this.#hear(['pipes'], '');
      this.#control.unref();
      name = this.#pipes.take() as string;
    }
    const path = join(this.#options.folder, name);
    return { path, reader: openReader(path) };
  }

  /**
   * Starts a command, which begins at once. Throws `sandbox_unavailable` where it cannot, `interrupted` when the signal
   * aborts before; nothing runs then.
   */
  async launch(order: Order, signal?: AbortSignal): Promise<GuardedProcess> {
    const { folder, environment } = this.#options;
    const orderPath = join(folder, 'order');
    if (signal?.aborted) throw new ElderError('interrupted', 'ended before the command began');
    writeFileSync(orderPath, orderText(order, environment), { mode: 0o600 });
    this.#launched += 1;
    const number = String(this.#launched);
    this.#begin(`run ${number}`);
    const stop = () => {
      this.#say('stop');
      this.#expectAnswer();
    };
    signal?.addEventListener('abort', stop, { once: true });
    try {
      const [word, value] = (await this.#hear(['pid', 'refused', 'gone'], number)) ?? [];
      if (word !== 'pid') {
        if (signal?.aborted) throw new ElderError('interrupted', 'ended before the command began');
        throw new ElderError('sandbox_unavailable', `the command could not begin in ${order.workspace}`);
      }
      const pid = Number(value);
      const ended = this.#follow(number, pid).finally(() => {
        this.#end();
        unlinkSync(orderPath);
        unlinkSync(order.output);
      });
      return { ...this.#handle(pid, ended), ended };
    } catch (error) {
      this.#end();
      if (!this.#alive) await endMarkedProcesses(this.mark, { groups: true, deadlineMs: vanishMs });
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  #handle(pid: number, ended: Promise<unknown>): Omit<GuardedProcess, 'ended'> {
    let gone = false;
    const leave = () => {
      gone = true;
    };
    ended.then(leave, leave);
    return {
      mark: this.mark,
      identity: null,
      group: pid,
      begin: () => {},
      terminate: () => void (gone || killGroup(pid, 'SIGTERM')),
      kill: () => {
        if (gone) return;
        killGroup(pid, 'SIGKILL');
        this.#look();
      },
    };
  }

  /** Waits for the end of a command and of its group. */
  async #follow(number: string, group: number): Promise<{ exitCode: number | null }> {
    let heard = await this.#hear(['exit', 'gone', 'left'], number);
    const exitCode = heard?.[0] === 'exit' ? Number(heard[1]) : null;
    if (heard?.[0] === 'exit') {
      this.#look();
      heard = await this.#hear(['gone', 'left'], number);
    }
    if (heard?.[0] !== 'gone') {
      // What is left of it is not the launcher's to wait for, or the launcher itself was killed.
      killGroup(group, 'SIGKILL');
      await waitUntilGroupGone(group, vanishMs);
    }
    return { exitCode };
  }

  /**
   * Gives the next word about a command, with its value; all else is late and passed over. `undefined` when the launcher has
   * died.
   */
  async #hear(words: readonly string[], about: string): Promise<[string, string] | undefined> {
    for (;;) {
      const line = await this.#lines.next();
      if (line === undefined) return undefined;
      const [word = '', number = '', value = ''] = line.split(' ');
      if (words.includes(word) && number === about) return [word, value];
    }
  }

  #begin(what: string): void {
    this.#child.ref();
    this.#control.ref();
    clearInterval(this.#beat);
    this.#beat = setInterval(() => this.#tellLease(), beatMs);
    this.#say(`${this.#leaseLine()}\n${what}`);
  }

  #look(): void {
    this.#say('look');
    this.#expectAnswer();
  }

  /** Ends the launcher unless the command under way is over in time. */
  #expectAnswer(): void {
    clearTimeout(this.#backstop);
    this.#backstop = setTimeout(() => this.#child.kill('SIGKILL'), this.#options.answerMs);
  }

  #end(): void {
    clearTimeout(this.#backstop);
    clearInterval(this.#beat);
    this.#beat = undefined;
    this.#unref();
  }

  #unref(): void {
    this.#child.unref();
    this.#control.unref();
  }

  #tellLease(): void {
    this.#say(this.#leaseLine());
  }

  #leaseLine(): string {
    const seconds = Math.max(1, Math.ceil(this.#leaseEnd - performance.now())) / 1_000;
    return `lease ${seconds.toFixed(3)}`;
  }

  #say(line: string): void {
    if (this.#alive) this.#control.write(`${line}\n`);
  }
}
