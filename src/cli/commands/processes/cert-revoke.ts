import { aliases } from '../../../protocol/roster.ts';
import type { CommandInput } from '../../command-spec.ts';
import { ManagerClient } from '../../connection/manager-client.ts';
import type { Session } from '../../session.ts';

/** Takes back every certificate of one process; unless told otherwise a successor with new credentials follows. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const given = input.arguments[0] as string;
  const name = Object.hasOwn(aliases, given) ? (aliases[given] as string) : given;
  const restart = !input.flag('no-restart');
  const done = await new ManagerClient(session.folder, session.signal).revokeCertificates(name, restart);
  const { cert } = session.text;
  session.print(done, () => {
    const lines = [cert.revoked(done.name, done.serials.length, done.refusedBy.length, done.tookMs)];
    if (done.pending.length > 0) lines.push(cert.pending(done.pending.join(', ')));
    lines.push(done.restarted ? cert.restarted(done.name) : cert.stays(done.name));
    return `${lines.join('\n')}\n`;
  });
}
