import { X509Certificate } from 'node:crypto';
import { ElderError } from '../protocol/errors.ts';

/** Whom a process trusts: the roots of its tree and the certificates that were taken back. */
export interface TrustOptions {
  /** PEM of one or more roots. */
  readonly ca: string;
  /** Serial numbers, upper-case hexadecimal. */
  readonly revoked: readonly string[];
}

const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** What a process goes by when it judges a certificate; it never changes, a later one takes its place. */
export class Trust {
  readonly ca: string;
  readonly #roots: readonly X509Certificate[];
  readonly #revoked: ReadonlySet<string>;

  /** Throws `denied` when there is no root or one cannot be read. */
  constructor({ ca, revoked }: TrustOptions) {
    this.ca = ca;
    this.#revoked = new Set(revoked);
    try {
      this.#roots = (ca.match(pemBlock) ?? []).map((pem) => new X509Certificate(pem));
    } catch (cause) {
      throw new ElderError('denied', 'a root certificate cannot be read', { cause });
    }
    if (this.#roots.length === 0) throw new ElderError('denied', 'there is no root certificate to trust');
  }

  /** Tells whether the certificate with this serial number was taken back. */
  isRevoked(serial: string): boolean {
    return this.#revoked.has(serial);
  }

  /** Throws `denied` when a certificate is from no root of this tree. */
  requireIssued(certificate: X509Certificate): void {
    const signed = this.#roots.some(
      (root) => certificate.checkIssued(root) && certificate.verify(root.publicKey),
    );
    if (!signed) throw new ElderError('denied', 'the certificate is not from the authority of this tree');
  }

  /** Throws `denied` when a certificate is from no root of this tree, was taken back or is past its end. */
  require(certificate: X509Certificate): void {
    this.requireIssued(certificate);
    if (this.isRevoked(certificate.serialNumber)) {
      throw new ElderError('denied', `the certificate ${certificate.serialNumber} was revoked`);
    }
    if (certificate.validToDate.getTime() <= Date.now()) {
      throw new ElderError('denied', `the certificate is not valid since ${certificate.validTo}`);
    }
  }
}
