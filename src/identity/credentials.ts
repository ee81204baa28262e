import { type KeyObject, X509Certificate } from 'node:crypto';
import { ElderError } from '../protocol/errors.ts';
import { requirePeer } from './spiffe.ts';
import type { TlsIdentity } from './tls.ts';
import { Trust, type TrustOptions } from './trust.ts';

/** Whose credentials these are; PEM texts, and the key that the process made itself. */
export interface CredentialsOptions {
  readonly tree: string;
  readonly name: string;
  readonly certificate: string;
  /** PEM of the roots that are trusted; there are two while the authority is being replaced. */
  readonly ca: string;
  readonly privateKey: KeyObject;
  /** Serial numbers of the certificates that were taken back. */
  readonly revoked?: readonly string[];
}

/** Holds the present certificate of this process and whom it trusts, and hands changes to those who use them. */
export class Credentials {
  readonly #owner: { readonly tree: string; readonly name: string };
  readonly #listeners = new Set<(identity: TlsIdentity) => void>();
  readonly #trustListeners = new Set<(trust: Trust) => void>();
  #privateKey: KeyObject;
  #trust: Trust;
  #certificate: X509Certificate;
  #acceptedAt = Date.now();
  #identity: TlsIdentity;

  /** Throws `denied` as `replace` does. */
  constructor(options: CredentialsOptions) {
    this.#owner = { tree: options.tree, name: options.name };
    this.#privateKey = options.privateKey;
    this.#trust = new Trust({ ca: options.ca, revoked: options.revoked ?? [] });
    this.#certificate = this.#accept(options.certificate, options.privateKey, this.#trust);
    this.#identity = this.#show(options.certificate);
  }

  /** Gives what to show to peers now; ask again for every new connection. */
  current(): TlsIdentity {
    return this.#identity;
  }

  /** By what peers are judged now. */
  get trust(): Trust {
    return this.#trust;
  }

  /** Of the present certificate; hexadecimal, upper case. */
  get serial(): string {
    return this.#certificate.serialNumber;
  }

  /**
   * Puts a renewed certificate in the place of the present one and tells the listeners. Throws `denied`, and
   * keeps the present one, when it is not of this key, this name and this tree's authority, or is over.
   * `privateKey`: the key that it is for, where that is a new one.
   */
  replace(certificatePem: string, privateKey: KeyObject = this.#privateKey): void {
    this.#certificate = this.#accept(certificatePem, privateKey, this.#trust);
    this.#privateKey = privateKey;
    this.#acceptedAt = Date.now();
    this.#identity = this.#show(certificatePem);
    for (const listener of [...this.#listeners]) listener(this.#identity);
  }

  /**
   * Changes whom this process trusts and tells the listeners. Throws `denied`, and changes nothing, when its own
   * certificate would not be trusted then.
   */
  replaceTrust(options: TrustOptions): void {
    const trust = new Trust(options);
    // One that is over is no reason to refuse: it is about to be renewed.
    trust.requireIssued(this.#certificate);
    if (trust.isRevoked(this.serial)) throw new ElderError('denied', 'this very certificate was revoked');
    const sameRoots = trust.ca === this.#trust.ca;
    this.#trust = trust;
    this.#identity = this.#show(this.#identity.certificate);
    if (!sameRoots) for (const listener of [...this.#listeners]) listener(this.#identity);
    for (const listener of [...this.#trustListeners]) listener(trust);
  }

  /** Calls the listener after each change of the certificate or the roots, until the returned function is called. */
  onReplace(listener: (identity: TlsIdentity) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls the listener after each change of whom to trust, until the returned function is called. */
  onTrust(listener: (trust: Trust) => void): () => void {
    this.#trustListeners.add(listener);
    return () => this.#trustListeners.delete(listener);
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

  #show(certificate: string): TlsIdentity {
    return {
      certificate,
      key: this.#privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      ca: this.#trust.ca,
      isRevoked: (serial) => this.#trust.isRevoked(serial),
    };
  }

  #accept(pem: string, privateKey: KeyObject, trust: Trust): X509Certificate {
    const certificate = readCertificate(pem);
    if (!certificate.checkPrivateKey(privateKey)) {
      throw new ElderError('denied', 'the certificate is not for the key of this process');
    }
    trust.require(certificate);
    requirePeer(certificate, this.#owner);
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
