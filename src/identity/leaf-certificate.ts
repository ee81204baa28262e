import type { X509Certificate } from 'node:crypto';
import { ElderError } from '../protocol/errors.ts';

/**
 * Throws `denied` unless a certificate, whose chain was verified before, is of the kind that this authority gives
 * to a process: not one of an authority itself, for a P-256 key, and not taken back.
 */
export function requireLeaf(
  certificate: X509Certificate,
  isRevoked: (serial: string) => boolean = () => false,
): void {
  if (certificate.ca) throw new ElderError('denied', 'the certificate is that of an authority');
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey;
  if (type !== 'ec' || details?.namedCurve !== 'prime256v1') {
    throw new ElderError('denied', 'the certificate is not for a P-256 key');
  }
  if (isRevoked(certificate.serialNumber)) {
    throw new ElderError('denied', `the certificate ${certificate.serialNumber} was revoked`);
  }
}
