import { Credentials } from '../../identity/credentials.ts';
import { createKeyPair, type KeyPair, spkiOf } from '../../identity/key-proof.ts';
import { keepFresh } from '../certificates/keep-fresh.ts';
import type { TreeCertificates } from '../certificates/tree-certificates.ts';
import { certificateAddresses } from '../listen-address.ts';

/** The manager's own certificate, renewed by itself until `close`. */
export interface ManagerCredentials {
  readonly credentials: Credentials;
  /** Makes a new key and a certificate for it now. */
  renew(): Promise<void>;
  close(): void;
}

/** Issues the manager's own certificate and keeps it, and whom the manager trusts, up to date. `lifetimeMs` is how long one is valid. */
export async function createManagerCredentials(options: {
  certificates: TreeCertificates;
  host: string;
  lifetimeMs: number;
  onError: (error: unknown) => void;
}): Promise<ManagerCredentials> {
  const { certificates, lifetimeMs } = options;
  const { authority } = certificates;
  const issue = async (pair: KeyPair) => {
    const request = { name: 'manager', addresses: certificateAddresses(options.host), lifetimeMs };
    const { certificatePem } = await authority.issue({ ...request, publicKey: spkiOf(pair.publicKey) });
    return certificatePem;
  };
  await certificates.revoke(({ name }) => name === 'manager', 'the manager was started anew');
  const first = createKeyPair();
  const credentials = new Credentials({
    tree: authority.treeId,
    name: 'manager',
    certificate: await issue(first),
    privateKey: first.privateKey,
    ...certificates.trust,
  });
  const fresh = keepFresh({
    renewOnce: async () => {
      const pair = createKeyPair();
      credentials.replace(await issue(pair), pair.privateKey);
    },
    lifetimeMs,
    fresh: true,
    onError: options.onError,
  });
  const stopped = new AbortController();
  void followTrust(credentials, certificates, stopped.signal, options.onError);
  return {
    credentials,
    renew: fresh.renew,
    close() {
      fresh.stop();
      stopped.abort();
    },
  };
}

/** The manager goes by the same list as everybody else. */
async function followTrust(
  credentials: Credentials,
  certificates: TreeCertificates,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<void> {
  for (let known = certificates.version; !signal.aborted; ) {
    await certificates.changed(signal).catch(() => undefined);
    const { version, trust } = certificates;
    if (signal.aborted || version === known) continue;
    try {
      credentials.replaceTrust(trust);
      known = version;
    } catch (error) {
      onError(error);
    }
  }
}
