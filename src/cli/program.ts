import { type Argument, Command, CommanderError, type Help, Option } from 'commander';
import { parseDuration } from '../protocol/duration.ts';
import { ElderError } from '../protocol/errors.ts';
import { didYouMean } from '../protocol/nearest.ts';
import type { CommandInput, CommandSpec, OptionSpec } from './command-spec.ts';
import { commandTable, globalOptions } from './command-table.ts';
import { commandText } from './command-text.ts';
import type { GlobalOptions } from './session.ts';
import type { Catalog } from './text/catalog.ts';
import { displayWidth } from './text/display-width.ts';

/** What the command line asks for. */
export interface Request {
  readonly spec: CommandSpec;
  readonly input: CommandInput;
  readonly globals: GlobalOptions;
}

type Values = Readonly<Record<string, unknown>>;

function flags({ name, short, value }: OptionSpec): string {
  return `${short ? `-${short}, ` : ''}--${name}${value ? ` <${value.placeholder}>` : ''}`;
}

function convert({ name, value }: OptionSpec, text: string): string | number {
  const refuse = (expected: string): never => {
    throw new ElderError('usage', `--${name}: expected ${expected}, got "${text}"`);
  };
  if (value?.kind === 'duration') {
    const ms = parseDuration(text);
    // Beyond this a timer of the runtime fires at once.
    return ms !== undefined && ms > 0 && ms < 2 ** 31 ? ms : refuse('a duration such as 30s, 10m, 2h');
  }
  if (value?.kind === 'number') {
    const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = value;
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (number >= minimum && number <= maximum) return number;
    return refuse(
      value.maximum === undefined ? 'a whole number' : `a whole number from ${minimum} to ${maximum}`,
    );
  }
  const { choices } = value ?? {};
  if (choices && !choices.includes(text)) {
    throw new ElderError(
      'usage',
      `--${name}: expected one of ${choices.join(', ')}; got "${text}"${didYouMean(text, choices)}`,
    );
  }
  return text;
}

function readOptions(specs: readonly OptionSpec[], command: Command): Map<string, string | number | boolean> {
  const values = new Map<string, string | number | boolean>();
  const given: Values = command.optsWithGlobals();
  for (const spec of specs) {
    const key = spec.name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    // Commander stores `--no-color` as `color: false`.
    const negated = /^no-(.+)$/.exec(spec.name)?.[1];
    const value = negated === undefined ? given[key] : given[negated] === false;
    if (typeof value === 'string') values.set(spec.name, convert(spec, value));
    else if (value === true) values.set(spec.name, true);
  }
  return values;
}

function requestOf(spec: CommandSpec, command: Command): Request {
  const own = readOptions(spec.options, command);
  const shared = readOptions(globalOptions, command);
  const text = (values: typeof own, name: string) => values.get(name) as string | undefined;
  return {
    spec,
    input: {
      arguments: command.processedArgs.flat().filter((value) => value !== undefined),
      flag: (name) => own.get(name) === true,
      text: (name) => text(own, name),
      number: (name) => own.get(name) as number | undefined,
    },
    globals: {
      json: shared.has('json'),
      project: text(shared, 'project'),
      lang: text(shared, 'lang'),
      noColor: shared.has('no-color'),
    },
  };
}

function helpConfiguration(text: Catalog): Partial<Help> {
  const titles: Readonly<Record<string, string>> = {
    'Usage:': text.help.usage,
    'Arguments:': text.help.arguments,
    'Options:': text.help.options,
    'Commands:': text.help.commands,
  };
  return {
    displayWidth,
    helpWidth: 110,
    styleTitle: (title) => titles[title] ?? title,
    commandUsage(command) {
      const parents: string[] = [];
      for (let parent = command.parent; parent; parent = parent.parent) parents.unshift(parent.name());
      const usage = [...parents, command.name(), command.usage()].join(' ');
      return usage.replace('[options]', text.help.optionsWord).replace('[command]', text.help.commandWord);
    },
    subcommandTerm: (command) =>
      [command.name(), ...command.registeredArguments.map((argument) => argumentTerm(argument))].join(' '),
  } as Partial<Help>;
}

function argumentTerm(argument: Argument): string {
  const shown = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${shown}>` : `[${shown}]`;
}

function addOptions(command: Command, specs: readonly OptionSpec[], texts: Values, group?: string): void {
  for (const spec of specs) {
    const option = new Option(flags(spec), String(texts[spec.name] ?? ''));
    if (spec.hidden) option.hideHelp();
    if (group) option.helpGroup(group);
    command.addOption(option);
  }
}

/** Parses a command line. Throws `usage`; gives `null` where help or the version was asked for and printed. */
export function parseCommandLine(argv: readonly string[], text: Catalog, version: string): Request | null {
  let request: Request | null = null;
  let shown = '';
  const program = new Command('elders');
  const prepare = (command: Command): Command =>
    command
      .helpOption('-h, --help', text.help.showHelp)
      .configureHelp(helpConfiguration(text))
      .configureOutput({
        writeOut: (out) => process.stdout.write(out),
        writeErr: (out) => (shown += out),
        outputError() {},
      })
      .exitOverride();
  prepare(program)
    .description(text.help.program)
    .version(version, '-V, --version', text.help.showVersion)
    .helpCommand('help [command]', text.help.helpCommand)
    .addHelpText('after', `\n${text.help.exitCodes}\n`);
  addOptions(program, globalOptions, text.globals, text.help.globalOptions);
  const groups = new Map<string, Command>();
  for (const spec of commandTable) {
    const [first, second] = spec.path.split(' ') as [string, string?];
    let parent = program;
    if (second) {
      parent = groups.get(first) ?? prepare(program.command(first)).helpCommand(false);
      parent.description(text.groups[first as keyof typeof text.groups]);
      groups.set(first, parent);
    }
    const texts = commandText(text, spec.path);
    const command = prepare(parent.command(second ?? first)).description(texts.summary);
    for (const { name, required, variadic } of spec.arguments) {
      const shown = `${name}${variadic ? '...' : ''}`;
      command.argument(required ? `<${shown}>` : `[${shown}]`, texts.arguments[name] ?? '');
    }
    addOptions(command, spec.options, texts.options);
    addOptions(command, globalOptions, text.globals, text.help.globalOptions);
    command.action(() => {
      request = requestOf(spec, command);
    });
  }
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return null;
    const reason = error.code === 'commander.help' ? 'a command is missing' : error.message;
    // Without a command, commander writes the help as its error.
    if (error.code === 'commander.help') process.stderr.write(`${shown}\n`);
    throw new ElderError('usage', reason.replace(/^error: /, ''));
  }
  return request;
}
