import { errorTable } from '../../protocol/errors.ts';
import { type ExitName, exitCodes } from '../../protocol/exit-codes.ts';
import { code, madeFromCode, markdownTable } from './markdown.ts';

/** Makes `errors.md` from the table of errors. */
export function errorsReference(): string {
  const sections = Object.entries(errorTable).map(([name, spec]) => {
    const facts = `Exit code ${exitCodes[spec.exit]}. The same request ${spec.canRetry ? 'may succeed' : 'does not succeed'} later.`;
    return `## ${code(name)}\n\n${spec.en}\n${spec.ja}\n\n${facts}\n\n- ${spec.next.en}\n- ${spec.next.ja}\n`;
  });
  const intro =
    'Every error that a person or another process can meet. `code` is stable; `reason` says why, in English; `message`\nand `next` are in the language of the reader.\n';
  return `${madeFromCode}# Errors\n\n${intro}\n${sections.join('\n')}`;
}

const meanings: Readonly<Record<ExitName, string>> = {
  ok: 'done as asked',
  failed: 'it was tried and failed',
  usage: 'the command line, the configuration or a directive is not valid; nothing was done',
  not_running: 'the tree does not run, or is not healthy',
  denied: 'not permitted',
  approval_required: 'it waits for the approval of a human; nothing was carried out yet',
  timed_out: 'no answer in time',
  redis_unreachable: 'Redis cannot be reached',
  interrupted: 'interrupted by a signal',
};

/** Makes `exit-codes.md` from the table of exit codes. */
export function exitCodesReference(): string {
  const rows = Object.entries(exitCodes).map(([name, number]) => {
    const errors = Object.entries(errorTable).filter(([, spec]) => spec.exit === name);
    return [String(number), meanings[name as ExitName], errors.map(([error]) => code(error)).join(', ')];
  });
  const table = markdownTable(['exit code', 'meaning', 'errors'], rows);
  return `${madeFromCode}# Exit codes\n\nStable for scripts.\n\n${table}`;
}
