import { exitCodes } from '../../../protocol/exit-codes.ts';
import { aliases } from '../../../protocol/roster.ts';
import type { CommandInput } from '../../command-spec.ts';
import { ManagerClient } from '../../connection/manager-client.ts';
import type { Session } from '../../session.ts';
import { oneLine } from '../../text/printable.ts';

const defaultTimeoutMs = 10_000;

/** Tells whether one process lives and can serve, for probes that have no certificate; exit code 0 or 1. */
export async function run(session: Session, input: CommandInput): Promise<number> {
  const given = input.arguments[0] as string;
  const name = Object.hasOwn(aliases, given) ? (aliases[given] as string) : given;
  const timeoutMs = input.number('timeout') ?? defaultTimeoutMs;
  const health = await new ManagerClient(session.folder, session.signal, timeoutMs).health(name);
  const { text } = session;
  session.print(health, () => {
    const state = health.ready ? text.health.ready : health.live ? text.health.live : text.health.dead;
    const reason = health.reason === null || health.ready ? '' : `: ${oneLine(health.reason)}`;
    return `${name} ${state}${reason}\n`;
  });
  const onlyLive = input.flag('live') && !input.flag('ready');
  return (onlyLive ? health.live : health.live && health.ready) ? exitCodes.ok : exitCodes.failed;
}
