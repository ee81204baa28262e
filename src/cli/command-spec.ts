import type { Session } from './session.ts';

/** A value that an option takes. */
export interface OptionValue {
  readonly placeholder: string;
  readonly kind: 'text' | 'number' | 'duration';
  readonly minimum?: number;
  readonly maximum?: number;
  readonly choices?: readonly string[];
}

/** An option of a command; its help stands in the catalogs under its name. */
export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  /** Without it the option is a flag. */
  readonly value?: OptionValue;
  readonly hidden?: true;
}

/** A positional argument of a command. */
export interface ArgumentSpec {
  readonly name: string;
  readonly required: boolean;
  readonly variadic?: true;
}

/** What stood on the command line, checked against the table. */
export interface CommandInput {
  readonly arguments: readonly string[];
  flag(name: string): boolean;
  text(name: string): string | undefined;
  /** A whole number; of a duration, its ms. */
  number(name: string): number | undefined;
}

/** What a file in `commands/` exports. */
export interface CommandModule {
  /** May give an exit code of its own; throws where it failed. */
  run(session: Session, input: CommandInput): Promise<number | void>;
}

/** One command; parsing, help and reference docs come from this. */
export interface CommandSpec {
  /** The words that name it. */
  readonly path: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  readonly hidden?: true;
  /** Set where the command itself decides what a signal means. */
  readonly ownSignals?: true;
  /** Set where `--json` prints JSON lines instead of one document. */
  readonly streams?: true;
  load(): Promise<CommandModule>;
}
