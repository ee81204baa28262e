import { type Action, actions, isAction } from '../../../protocol/actions.ts';
import { ElderError } from '../../../protocol/errors.ts';
import { exitCodes } from '../../../protocol/exit-codes.ts';
import { didYouMean } from '../../../protocol/nearest.ts';
import { canSend, rightHolders } from '../../../protocol/rights.ts';
import { aliases, roleOf } from '../../../protocol/roster.ts';
import type { CommandInput } from '../../command-spec.ts';
import type { Session } from '../../session.ts';

function principal(given: string, what: string): string {
  const name = given === 'human' ? 'gateway' : (aliases[given] ?? given);
  if (roleOf(name) !== undefined) return name;
  throw new ElderError('usage', `${what}: there is no "${given}"${didYouMean(given, rightHolders)}`);
}

function actionOf(given: string): Action {
  if (isAction(given)) return given;
  throw new ElderError('usage', `there is no action "${given}"${didYouMean(given, Object.keys(actions))}`);
}

/** Says whether a principal may send an action, and why; exit code 0 for yes and that of `denied` for no. */
export async function run(session: Session, input: CommandInput): Promise<number> {
  const action = actionOf(input.arguments[0]!);
  const given = input.text('as');
  if (given === undefined) throw new ElderError('usage', '--as NAME is missing');
  const as = principal(given, '--as');
  const target = input.text('to');
  const onBehalfOf = (input.text('on-behalf-of') ?? '')
    .split(',')
    .filter((name) => name !== '')
    .map((name) => principal(name, '--on-behalf-of'));
  const to = target === undefined ? {} : { to: principal(target, '--to') };
  const { allowed, rule, to: targets } = canSend({ action, as, onBehalfOf, ...to });
  const answer = allowed ? session.text.auth.yes(targets.join(', ')) : session.text.auth.no;
  session.print({ action, as, onBehalfOf, allowed, rule, to: targets }, () => `${answer}\n${rule}\n`);
  return allowed ? exitCodes.ok : exitCodes.denied;
}
