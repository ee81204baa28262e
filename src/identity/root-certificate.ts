import 'reflect-metadata';
import { createPrivateKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PublicKey,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { ElderError } from '../protocol/errors.ts';
import { createKeyPair, spkiOf } from './key-proof.ts';
import { spiffeUri } from './spiffe.ts';

/** One root: its certificate and, unless it only remains trusted, the key by which it signs. */
export interface Root {
  readonly certificate: X509Certificate;
  readonly signingKey: CryptoKey;
}

/** How roots and the certificates under them are signed. */
export const signature = { name: 'ECDSA', hash: 'SHA-256' };
const caLifetimeMs = 10 * 365 * 24 * 3_600_000;
/** Clocks of two hosts may differ by this much before a fresh certificate is refused. */
export const clockSkewMs = 60_000;

/**
 * Reads a root from the text of its file. Throws `denied` when it is that of another tree, and `config_invalid` when it
 * is damaged or past its end.
 */
export async function readRoot(treeId: string, file: string, pem: string): Promise<Root> {
  const certificate = readCertificate(file, pem);
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new ElderError('config_invalid', `${file} in the secret folder is damaged`, { cause });
  }
  if (!certificate.checkPrivateKey(key)) {
    throw new ElderError('config_invalid', `key and certificate in ${file} do not belong together`);
  }
  if (certificate.subject !== `CN=${authorityName(treeId)}`) {
    throw new ElderError('denied', `${file} is not the authority of tree ${treeId}`);
  }
  if (certificate.validToDate.getTime() <= Date.now()) {
    throw new ElderError('config_invalid', `${file} is not valid since ${certificate.validTo}; remove it`);
  }
  return { certificate, signingKey: await importSigningKey(key) };
}

/** Reads a root of which no key is kept. Throws `config_invalid` when it is damaged. */
export function readCertificate(file: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new ElderError('config_invalid', `${file} in the secret folder is damaged`, { cause });
  }
}

/** Makes the key and the certificate of a new root; PEM. Throws `denied` for a malformed tree id. */
export async function createAuthorityPem(treeId: string): Promise<string> {
  const pair = createKeyPair();
  const publicKey = new PublicKey(spkiOf(pair.publicKey));
  const now = Date.now();
  const name = [{ CN: [authorityName(treeId)] }];
  const certificate = await X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: name,
    issuer: name,
    notBefore: new Date(wholeSecond(now - clockSkewMs)),
    notAfter: new Date(wholeSecond(now + caLifetimeMs)),
    publicKey,
    signingKey: await importSigningKey(pair.privateKey),
    signingAlgorithm: signature,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return `${privatePem(pair.privateKey)}${certificate.toString('pem').trimEnd()}\n`;
}

function importSigningKey(key: KeyObject): Promise<CryptoKey> {
  const pkcs8 = key.export({ format: 'der', type: 'pkcs8' });
  return crypto.subtle.importKey('pkcs8', pkcs8, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
}

/** Gives a private key as PKCS#8 PEM. */
export function privatePem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** Gives the name of a tree's authority. Throws `denied` for a malformed tree id. */
export function authorityName(treeId: string): string {
  // The tree id is checked where a principal's URI is made, so that there is one rule for it.
  spiffeUri(treeId, 'manager');
  return `Elders Tree ${treeId}`;
}

/** Makes a serial number; hexadecimal, upper case. */
export function newSerial(): string {
  const bytes = randomBytes(16);
  // A serial number is a positive integer; a first byte of 0x40–0x7f keeps its length fixed as well.
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString('hex').toUpperCase();
}

/** Rounds ms since the epoch down to the second, as certificates count. */
export function wholeSecond(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
