import { actions, isAction } from '../../../protocol/actions.ts';
import { ElderError } from '../../../protocol/errors.ts';
import type { AskRequest } from '../../../protocol/local-api.ts';
import { didYouMean } from '../../../protocol/nearest.ts';
import { aliases, fixedElders, isServant } from '../../../protocol/roster.ts';
import type { CommandInput } from '../../command-spec.ts';
import { GatewayClient } from '../../connection/gateway-client.ts';
import { readInput } from '../../read-input.ts';
import type { Session } from '../../session.ts';

function targetOf(name: string): string {
  const target = aliases[name] ?? name;
  const names = fixedElders.map((elder) => elder.name);
  if (isServant(target) || names.some((known) => known === target)) return target;
  throw new ElderError('usage', `there is no elder "${name}"${didYouMean(name, names)}`);
}

async function payloadOf(text: string): Promise<AskRequest['payload']> {
  let payload: unknown;
  try {
    payload = JSON.parse(text === '-' ? await readInput('-') : text);
  } catch (cause) {
    throw new ElderError('usage', `--payload is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw new ElderError('usage', '--payload is not a JSON object');
  }
  return payload as AskRequest['payload'];
}

/** Sends one message on an edge of the gateway's and prints the answer. What it may send, the gateway decides. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const [name = '', action = ''] = input.arguments;
  const target = targetOf(name);
  if (!isAction(action)) {
    throw new ElderError(
      'usage',
      `there is no action "${action}"${didYouMean(action, Object.keys(actions))}`,
    );
  }
  const payload = await payloadOf(input.text('payload') ?? '{}');
  const options = { priority: input.number('priority'), timeoutMs: input.number('timeout') };
  const answer = await new GatewayClient(session).askAny({ target, action, payload }, options);
  session.print(answer, () => `${JSON.stringify(answer, null, 2)}\n`);
}
