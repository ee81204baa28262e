import type { CommandSpec, OptionSpec } from '../command-spec.ts';
import { commandTable, globalOptions } from '../command-table.ts';
import { commandText } from '../command-text.ts';
import { en } from '../text/en.ts';
import { code, madeFromCode, markdownTable } from './markdown.ts';

function usage({ path, arguments: args, options }: CommandSpec): string {
  const shown = args.map(({ name, required, variadic }) => {
    const word = `${name.toUpperCase()}${variadic ? '…' : ''}`;
    return required ? word : `[${word}]`;
  });
  return ['elders', path, ...(options.length > 0 ? ['[options]'] : []), ...shown].join(' ');
}

function optionRows(options: readonly OptionSpec[], texts: Readonly<Record<string, string>>): string[][] {
  return options
    .filter(({ hidden }) => !hidden)
    .map(({ name, short, value }) => [
      `${short ? `${code(`-${short}`)}, ` : ''}${code(`--${name}${value ? ` ${value.placeholder}` : ''}`)}`,
      texts[name] ?? '',
    ]);
}

function section(spec: CommandSpec): string {
  const text = commandText(en, spec.path);
  const rows = [
    ...spec.arguments.map(({ name }) => [code(name.toUpperCase()), text.arguments[name] ?? '']),
    ...optionRows(spec.options, text.options),
  ];
  const table = rows.length === 0 ? '' : `\n${markdownTable(['', 'meaning'], rows)}`;
  const json = spec.streams ? '`--json` prints JSON lines.\n' : '';
  const summary = `${text.summary.charAt(0).toUpperCase()}${text.summary.slice(1)}.`;
  return `## elders ${spec.path}\n\n\`\`\`\n${usage(spec)}\n\`\`\`\n\n${summary}\n${json}${table}\n`;
}

/** Makes `cli.md` from the table of commands. */
export function cliReference(): string {
  const shown = commandTable.filter(({ hidden }) => !hidden);
  const intro =
    'Results go to standard output, narration to standard error. With `--json` standard output holds one JSON\ndocument; an error is `{"error": {code, reason, message, next}}` there, and its text stands on standard error.\n';
  const shared = markdownTable(['option of every command', 'meaning'], optionRows(globalOptions, en.globals));
  return `${madeFromCode}# Commands\n\n${intro}\n${shared}\n${shown.map(section).join('\n')}`;
}
