import 'reflect-metadata';
import { createPrivateKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { ElderError } from '../protocol/errors.ts';
import { loadAuthorityPem, saveAuthorityPem } from './authority-file.ts';
import { createKeyPair, p256PublicKey, spkiOf } from './key-proof.ts';
import { spiffeUri } from './spiffe.ts';

/** A certificate as the authority hands it out; PEM texts end with a newline. */
export interface IssuedCertificate {
  readonly certificatePem: string;
  /** Hexadecimal, upper case. */
  readonly serial: string;
  /** Ms since the epoch, on a whole second. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** What a certificate is to say. */
export interface CertificateRequest {
  /** The principal: an elder, `manager`, `gateway` or `redis`. */
  readonly name: string;
  /** Host names and IP addresses that the principal serves on; `localhost` is always added. */
  readonly addresses: readonly string[];
  readonly lifetimeMs: number;
  /** Ms since the epoch; the present when left out. */
  readonly now?: number;
}

const signature = { name: 'ECDSA', hash: 'SHA-256' };
const caLifetimeMs = 10 * 365 * 24 * 3_600_000;
/** Clocks of two hosts may differ by this much before a fresh certificate is refused. */
const clockSkewMs = 60_000;
const hostPattern =
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** The certificate authority of one tree. Only the manager holds one; nothing else may load this file. */
export class Authority {
  readonly treeId: string;
  /** The CA certificate, which everybody trusts. */
  readonly caPem: string;
  readonly #certificate: X509Certificate;
  readonly #signingKey: CryptoKey;

  private constructor(treeId: string, caPem: string, signingKey: CryptoKey) {
    this.treeId = treeId;
    this.caPem = caPem;
    this.#certificate = new X509Certificate(caPem);
    this.#signingKey = signingKey;
  }

  /** Makes an authority that exists in memory only. Throws `denied` for a malformed tree id. */
  static async create(treeId: string): Promise<Authority> {
    return Authority.#fromPem(treeId, await createAuthorityPem(treeId));
  }

  /**
   * Loads the authority of a tree from its secret folder, or makes it and saves it there: `ca.pem`, mode
   * 0600, holds key and certificate. Throws `denied` when others can read that file or it belongs to
   * another tree, and `config_invalid` when it is damaged or past its end.
   */
  static async open(secretDir: string, treeId: string): Promise<Authority> {
    const pem =
      (await loadAuthorityPem(secretDir)) ??
      (await saveAuthorityPem(secretDir, await createAuthorityPem(treeId)));
    return Authority.#fromPem(treeId, pem);
  }

  static async #fromPem(treeId: string, pem: string): Promise<Authority> {
    let key: KeyObject;
    let certificate: X509Certificate;
    try {
      key = createPrivateKey(pem);
      certificate = new X509Certificate(pem);
    } catch (cause) {
      throw new ElderError('config_invalid', 'ca.pem in the secret folder is damaged', { cause });
    }
    if (!certificate.checkPrivateKey(key)) {
      throw new ElderError('config_invalid', 'key and certificate in ca.pem do not belong together');
    }
    if (certificate.subject !== `CN=${authorityName(treeId)}`) {
      throw new ElderError('denied', `ca.pem is not the authority of tree ${treeId}`);
    }
    if (certificate.validToDate.getTime() <= Date.now()) {
      throw new ElderError('config_invalid', `ca.pem is not valid since ${certificate.validTo}; remove it`);
    }
    return new Authority(treeId, certificate.toString(), await importSigningKey(key));
  }

  /**
   * Issues the certificate of a principal for a public key (SPKI DER) whose possession was proved before.
   * Throws `denied` for a malformed name or a key that is not P-256, `config_invalid` for an address that
   * is neither host name nor IP address.
   */
  async issue(request: CertificateRequest & { readonly publicKey: Buffer }): Promise<IssuedCertificate> {
    const uri = spiffeUri(this.treeId, request.name);
    const publicKey = new PublicKey(spkiOf(p256PublicKey(request.publicKey)));
    const now = request.now ?? Date.now();
    const serial = newSerial();
    const notBefore = wholeSecond(now - clockSkewMs);
    const notAfter = wholeSecond(Math.min(now + request.lifetimeMs, this.#certificate.validToDate.getTime()));
    const certificate = await X509CertificateGenerator.create({
      serialNumber: serial,
      subject: [{ CN: [request.name] }],
      issuer: [{ CN: [authorityName(this.treeId)] }],
      notBefore: new Date(notBefore),
      notAfter: new Date(notAfter),
      publicKey,
      signingKey: this.#signingKey,
      signingAlgorithm: signature,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth, ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension([
          { type: 'url', value: uri },
          ...new Set(['localhost', ...request.addresses]).values().map((address) => addressName(address)),
        ]),
        await SubjectKeyIdentifierExtension.create(publicKey),
        await AuthorityKeyIdentifierExtension.create(new PublicKey(spkiOf(this.#certificate.publicKey))),
      ],
    });
    return { certificatePem: `${certificate.toString('pem').trimEnd()}\n`, serial, notBefore, notAfter };
  }

  /** Makes a key pair and issues its certificate: for the manager itself and for the Redis it runs. Throws as `issue`. */
  async issueWithKey(
    request: CertificateRequest,
  ): Promise<IssuedCertificate & { readonly privateKeyPem: string }> {
    const pair = createKeyPair();
    const issued = await this.issue({ ...request, publicKey: spkiOf(pair.publicKey) });
    return { ...issued, privateKeyPem: privatePem(pair.privateKey) };
  }
}

async function createAuthorityPem(treeId: string): Promise<string> {
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

function privatePem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

function authorityName(treeId: string): string {
  // The tree id is checked where a principal's URI is made, so that there is one rule for it.
  spiffeUri(treeId, 'manager');
  return `Elders Tree ${treeId}`;
}

function addressName(address: string): { type: 'ip' | 'dns'; value: string } {
  if (isIP(address)) return { type: 'ip', value: address };
  if (hostPattern.test(address)) return { type: 'dns', value: address };
  throw new ElderError('config_invalid', `neither a host name nor an IP address: ${JSON.stringify(address)}`);
}

function newSerial(): string {
  const bytes = randomBytes(16);
  // A serial number is a positive integer; a first byte of 0x40–0x7f keeps its length fixed as well.
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString('hex').toUpperCase();
}

function wholeSecond(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
