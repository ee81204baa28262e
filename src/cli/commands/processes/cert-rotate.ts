import type { CertificateRotationRequest } from '../../../protocol/certificates.ts';
import { ElderError } from '../../../protocol/errors.ts';
import { aliases } from '../../../protocol/roster.ts';
import type { CommandInput } from '../../command-spec.ts';
import { ManagerClient } from '../../connection/manager-client.ts';
import type { Session } from '../../session.ts';

const defaultTimeoutMs = 120_000;

function wanted(input: CommandInput): CertificateRotationRequest {
  const [name] = input.arguments;
  const ways = [name !== undefined, input.flag('all'), input.flag('ca')].filter(Boolean).length;
  if (ways !== 1) throw new ElderError('usage', 'name one process, or give --all, or --ca');
  if (input.flag('ca')) return { what: 'authority' };
  if (name === undefined) return { what: 'all' };
  return { what: 'one', name: Object.hasOwn(aliases, name) ? (aliases[name] as string) : name };
}

/** Gives one process or all a new key and certificate, or replaces the authority of the tree, while it works. */
export async function run(session: Session, input: CommandInput): Promise<void> {
  const request = wanted(input);
  const timeoutMs = input.number('timeout') ?? defaultTimeoutMs;
  const done = await new ManagerClient(session.folder, session.signal, timeoutMs).rotateCertificates(request);
  const { cert } = session.text;
  session.print(done, () => {
    const renewed = `${cert.renewed(done.renewed.join(', '))}\n`;
    return request.what === 'authority' ? `${renewed}${cert.newRoot(done.root.slice(0, 16))}\n` : renewed;
  });
}
