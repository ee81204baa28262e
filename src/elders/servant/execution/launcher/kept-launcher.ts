import { inheritedEnvironment } from '../environment.ts';
import { findBash } from '../guard-script.ts';
import { Launcher } from './launcher.ts';

/** In others bash could take part of a character for a quote. */
const safeLocale = /^(|C|POSIX|.*\.utf-?8)$/i;

const usualAnswerMs = 10_000;

/** The launcher of a servant, made when it is first asked for, and again when it has died. */
export class KeptLauncher {
  readonly #folder: string;
  readonly #answerMs: number;
  #launcher: Launcher | undefined;
  #impossible = false;
  #leaseEnd = 0;

  /** `folder` is to be the launcher's alone; one that does not answer for `answerMs` is replaced. */
  constructor(folder: string, answerMs = usualAnswerMs) {
    this.#folder = folder;
    this.#answerMs = answerMs;
  }

  /** Gives a launcher whose commands stand back so far; `undefined` where there can be none. */
  async get(niceness: number): Promise<Launcher | undefined> {
    const known = this.#launcher;
    if (this.#impossible || (known?.alive && known.niceness === niceness)) return known;
    known?.close();
    this.#launcher = undefined;
    const bash = findBash();
    const environment = inheritedEnvironment(process.env);
    const locales = Object.entries(environment).filter(([name]) => /^(LANG|LC_)/.test(name));
    const possible = process.platform === 'linux' && locales.every(([, value]) => safeLocale.test(value));
    if (bash !== undefined && possible) {
      const own = { folder: this.#folder, answerMs: this.#answerMs };
      this.#launcher = await Launcher.start({ ...own, bash, environment, niceness });
    }
    this.#impossible = this.#launcher === undefined;
    this.#hold();
    return this.#launcher;
  }

  /** Says for how long (ms) the command under way, or the next one, may go on without another word. */
  hold(ms: number): void {
    this.#leaseEnd = performance.now() + ms;
    this.#hold();
  }

  #hold(): void {
    this.#launcher?.hold(Math.max(0, this.#leaseEnd - performance.now()));
  }
}
