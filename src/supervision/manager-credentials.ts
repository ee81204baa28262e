import type { Authority } from '../identity/authority.ts';
import { Credentials } from '../identity/credentials.ts';
import { createKeyPair, spkiOf } from '../identity/key-proof.ts';
import { renewalDelay } from './certificate-renewal.ts';
import { certificateAddresses } from './listen-address.ts';

/** The manager's own certificate, renewed by itself until `close`. */
export interface ManagerCredentials {
  readonly credentials: Credentials;
  close(): void;
}

/** Issues the manager's own certificate and keeps it fresh. `lifetimeMs` is how long one is valid. */
export async function createManagerCredentials(options: {
  authority: Authority;
  host: string;
  lifetimeMs: number;
  onError: (error: unknown) => void;
}): Promise<ManagerCredentials> {
  const { authority, lifetimeMs } = options;
  const pair = createKeyPair();
  const issue = async () => {
    const request = { name: 'manager', addresses: certificateAddresses(options.host), lifetimeMs };
    const { certificatePem } = await authority.issue({ ...request, publicKey: spkiOf(pair.publicKey) });
    return certificatePem;
  };
  const credentials = new Credentials({
    tree: authority.treeId,
    name: 'manager',
    certificate: await issue(),
    ca: authority.caPem,
    privateKey: pair.privateKey,
  });
  let timer: NodeJS.Timeout;
  const schedule = () => {
    timer = setTimeout(
      async () => {
        try {
          credentials.replace(await issue());
        } catch (error) {
          options.onError(error);
        }
        schedule();
      },
      renewalDelay(lifetimeMs, Math.random()),
    );
  };
  schedule();
  return { credentials, close: () => clearTimeout(timer) };
}
