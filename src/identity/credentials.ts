import { type KeyObject, X509Certificate } from 'node:crypto';
import { ElderError } from '../protocol/errors.ts';
import { requirePeer } from './spiffe.ts';
import type { TlsIdentity } from './tls.ts';

/** Whose credentials these are; PEM texts, and the key that the process made itself. */
export interface CredentialsOptions {
  readonly tree: string;
  readonly name: string;
  readonly certificate: string;
  readonly ca: string;
  readonly privateKey: KeyObject;
}

/** Holds the present certificate of this process and hands a renewed one to those who use it. */
export class Credentials {
  readonly #owner: { readonly tree: string; readonly name: string };
  readonly #privateKey: KeyObject;
  readonly #ca: X509Certificate;
  readonly #listeners = new Set<(identity: TlsIdentity) => void>();
  #certificate: X509Certificate;
  #acceptedAt = Date.now();
  #identity: TlsIdentity;

  /** Throws `denied` as `replace` does. */
  constructor(options: CredentialsOptions) {
    this.#owner = { tree: options.tree, name: options.name };
    this.#privateKey = options.privateKey;
    this.#ca = readCertificate(options.ca);
    this.#certificate = this.#accept(options.certificate);
    this.#identity = {
      certificate: options.certificate,
      key: options.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      ca: options.ca,
    };
  }

  /** Gives what to show to peers now; ask again for every new connection. */
  current(): TlsIdentity {
    return this.#identity;
  }

  /**
   * Puts a renewed certificate in the place of the present one and tells the listeners. Throws `denied`, and
   * keeps the present one, when it is not of this key, this name and this tree's authority, or is over.
   */
  replace(certificatePem: string): void {
    this.#certificate = this.#accept(certificatePem);
    this.#acceptedAt = Date.now();
    this.#identity = { ...this.#identity, certificate: certificatePem };
    for (const listener of [...this.#listeners]) listener(this.#identity);
  }

  /** Calls the listener after each replacement, until the returned function is called. */
  onReplace(listener: (identity: TlsIdentity) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** When half of the time is over that the present certificate had left on its arrival, in ms since the epoch. */
  renewAt(): number {
    // Its start is no measure: it lies before the moment of issue, which for short lives is most of them.
    return (this.#acceptedAt + this.expiresAt()) / 2;
  }

  /** When the present certificate ends, in ms since the epoch. */
  expiresAt(): number {
    return this.#certificate.validToDate.getTime();
  }

  #accept(pem: string): X509Certificate {
    const certificate = readCertificate(pem);
    if (!certificate.checkPrivateKey(this.#privateKey)) {
      throw new ElderError('denied', 'the certificate is not for the key of this process');
    }
    if (!certificate.checkIssued(this.#ca) || !certificate.verify(this.#ca.publicKey)) {
      throw new ElderError('denied', 'the certificate is not from the authority of this tree');
    }
    requirePeer(certificate, this.#owner);
    if (certificate.validToDate.getTime() <= Date.now()) {
      throw new ElderError('denied', `the certificate is not valid since ${certificate.validTo}`);
    }
    return certificate;
  }
}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new ElderError('denied', 'the certificate cannot be read', { cause });
  }
}
