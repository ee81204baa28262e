import 'reflect-metadata';
import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Extension,
  type GeneralNameType,
  KeyUsageFlags,
  KeyUsagesExtension,
  PublicKey,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate with the key to sign others by, as a thief of `ca.pem` would have it. */
export interface Signer {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** PEM texts; the certificate may be followed by a chain. */
export interface Forged {
  readonly certificate: string;
  readonly key: string;
}

export interface Forgery {
  /** Who signs; the certificate's own key when left out. */
  readonly signer?: Signer;
  readonly commonName: string;
  readonly issuerName?: string;
  readonly names: readonly { readonly type: GeneralNameType; readonly value: string }[];
  /** Seconds from now. */
  readonly from?: number;
  readonly to?: number;
  readonly usages?: readonly string[];
  readonly keyUsages?: KeyUsageFlags;
  readonly ca?: boolean;
  readonly pair?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  readonly hash?: 'SHA-1' | 'SHA-256';
  /** An extension that nobody knows, marked as one that must be understood. */
  readonly unknownCritical?: boolean;
}

export const serverAuth = '1.3.6.1.5.5.7.3.1';
export const clientAuth = '1.3.6.1.5.5.7.3.2';
export const codeSigning = '1.3.6.1.5.5.7.3.3';

/** Reads key and certificate of a tree's authority from its secret folder. */
export async function stealAuthority(secretDir: string): Promise<Signer> {
  const pem = await readFile(join(secretDir, 'ca.pem'), 'utf8');
  return { certificate: new X509Certificate(pem), key: createPrivateKey(pem) };
}

/** Makes a certificate that says whatever it is told. */
export async function forgeCertificate(forgery: Forgery): Promise<Forged & { readonly signer: Signer }> {
  const { signer, commonName, hash = 'SHA-256' } = forgery;
  const pair = forgery.pair ?? generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pkcs8 = (signer?.key ?? pair.privateKey).export({ format: 'der', type: 'pkcs8' });
  const curve = { name: 'ECDSA', namedCurve: 'P-256' };
  const issuer = forgery.issuerName ?? signer?.certificate.subject.replace('CN=', '') ?? commonName;
  const certificate = await X509CertificateGenerator.create({
    subject: [{ CN: [commonName] }],
    issuer: [{ CN: [issuer] }],
    notBefore: new Date(Date.now() + (forgery.from ?? -60) * 1_000),
    notAfter: new Date(Date.now() + (forgery.to ?? 3_600) * 1_000),
    publicKey: new PublicKey(pair.publicKey.export({ format: 'der', type: 'spki' })),
    signingKey: await crypto.subtle.importKey('pkcs8', pkcs8, curve, false, ['sign']),
    signingAlgorithm: { name: 'ECDSA', hash },
    extensions: [
      new BasicConstraintsExtension(forgery.ca ?? false, undefined, true),
      new KeyUsagesExtension(forgery.keyUsages ?? KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([...(forgery.usages ?? [clientAuth, serverAuth])]),
      ...(forgery.names.length > 0 ? [new SubjectAlternativeNameExtension([...forgery.names])] : []),
      ...(forgery.unknownCritical
        ? [new Extension('1.3.6.1.4.1.99999.1', true, new Uint8Array([5, 0]))]
        : []),
    ],
  });
  const pem = `${certificate.toString('pem').trimEnd()}\n`;
  return {
    certificate: pem,
    key: pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    signer: { certificate: new X509Certificate(pem), key: pair.privateKey },
  };
}
