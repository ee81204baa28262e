/** The frame of every help, in English. */
export const help = {
  help: {
    usage: 'Usage:',
    arguments: 'Arguments:',
    options: 'Options:',
    globalOptions: 'Global options:',
    commands: 'Commands:',
    optionsWord: '[options]',
    commandWord: '[command]',
    showHelp: 'show this help',
    showVersion: 'show the version',
    helpCommand: 'show the help of a command',
    program: 'AI development agents as a real hierarchy of supervised processes.',
    exitCodes:
      'Exit codes: 0 ok, 1 failed, 2 usage, 3 not running or not healthy, 4 denied, 5 timed out, 6 waits for approval, 69 Redis unreachable, 130 interrupted.',
  },
  globals: {
    json: 'print one JSON document on standard output (streams: JSON lines)',
    project: 'folder of the project, instead of searching upward for elders.yaml',
    lang: 'language of human output: en or ja',
    'no-color': 'no colours (the variable NO_COLOR does the same)',
  },
};
