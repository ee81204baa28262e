import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
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
import {
  authorityFiles,
  loadAuthorityPem,
  moveAuthorityPem,
  removeAuthorityPem,
  saveAuthorityPem,
} from './authority-file.ts';
import { createKeyPair, p256PublicKey, spkiOf } from './key-proof.ts';
import {
  authorityName,
  clockSkewMs,
  createAuthorityPem,
  newSerial,
  privatePem,
  type Root,
  readCertificate,
  readRoot,
  signature,
  wholeSecond,
} from './root-certificate.ts';
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
  /** Of the process that gets it, where there is one; for the register only. */
  readonly incarnation?: number;
  /** Ms since the epoch; the present when left out. */
  readonly now?: number;
}

const hostPattern =
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** A certificate that nobody has yet. */
export interface PreparedCertificate {
  readonly name: string;
  /** Fingerprint of the root that signed it. */
  readonly root: string;
  /** SPKI DER. */
  readonly publicKey: Buffer;
  readonly issued: IssuedCertificate;
  readonly subjectAltName: string;
}

/** What the authority tells about each certificate that it has issued. */
export interface Issue extends IssuedCertificate {
  readonly name: string;
  readonly subjectAltName: string;
  readonly incarnation: number | null;
}

/**
 * The certificate authority of one tree. Only the manager holds one; nothing else may load this file. Its root
 * is replaced in three steps, each of which outlives a crash: `introduceSuccessor` has both roots trusted while
 * the old one signs, `switchToSuccessor` has the new one sign, `dropPredecessor` ends the trust in the old one.
 */
export class Authority {
  readonly treeId: string;
  readonly #secretDir: string | null;
  readonly #listeners = new Set<(issue: Issue) => void>();
  #root: Root;
  #next: Root | null = null;
  #old: X509Certificate | null = null;

  private constructor(treeId: string, secretDir: string | null, root: Root) {
    this.treeId = treeId;
    this.#secretDir = secretDir;
    this.#root = root;
  }

  /** Makes an authority that exists in memory only. Throws `denied` for a malformed tree id. */
  static async create(treeId: string): Promise<Authority> {
    return new Authority(treeId, null, await readRoot(treeId, 'ca.pem', await createAuthorityPem(treeId)));
  }

  /**
   * Loads the authority of a tree from its secret folder, or makes it and saves it there: `ca.pem`, mode
   * 0600, holds key and certificate. A rotation that was interrupted is found where it stood. Throws `denied`
   * when others can read a file or it belongs to another tree, and `config_invalid` when it is damaged or past
   * its end.
   */
  static async open(secretDir: string, treeId: string): Promise<Authority> {
    const { current, next, old } = authorityFiles;
    const pem =
      (await loadAuthorityPem(secretDir, current)) ??
      (await saveAuthorityPem(secretDir, current, await createAuthorityPem(treeId)));
    const authority = new Authority(treeId, secretDir, await readRoot(treeId, current, pem));
    const [nextPem, oldPem] = [
      await loadAuthorityPem(secretDir, next),
      await loadAuthorityPem(secretDir, old),
    ];
    if (nextPem !== undefined) authority.#next = await readRoot(treeId, next, nextPem);
    // The one before is noted just before the switch: until then it is the current one.
    if (oldPem !== undefined && nextPem === undefined) authority.#old = readCertificate(old, oldPem);
    return authority;
  }

  /** Every root that is trusted now; PEM. */
  get caPem(): string {
    const others = [this.#next?.certificate, this.#old].filter((each) => each != null);
    // In an order of their own, so that the text is the same before and after the new one begins to sign.
    return [this.#root.certificate, ...others]
      .map((each) => `${each.toString().trimEnd()}\n`)
      .toSorted()
      .join('');
  }

  /** How far the replacement of the root has come. */
  get rotation(): 'none' | 'introduced' | 'switched' {
    if (this.#next !== null) return 'introduced';
    return this.#old === null ? 'none' : 'switched';
  }

  /** SHA-256 of the certificate of the root that signs, in hex. */
  get fingerprint(): string {
    return fingerprintOf(this.#root.certificate);
  }

  /** Calls the listener for each certificate issued from now on, before anybody else has it. */
  onIssue(listener: (issue: Issue) => void): void {
    this.#listeners.add(listener);
  }

  /** Makes the root that is to take over; from now on both are trusted. Does nothing when there is one already. */
  async introduceSuccessor(): Promise<void> {
    if (this.#next !== null) return;
    if (this.#old !== null)
      throw new ElderError('conflict', 'the root before the present one is still trusted');
    const made = await createAuthorityPem(this.treeId);
    const pem =
      this.#secretDir === null ? made : await saveAuthorityPem(this.#secretDir, authorityFiles.next, made);
    this.#next = await readRoot(this.treeId, authorityFiles.next, pem);
  }

  /** Lets the new root sign; the key of the old one is gone then. Throws `conflict` when none was introduced. */
  async switchToSuccessor(): Promise<void> {
    if (this.#next === null) throw new ElderError('conflict', 'no new root was introduced');
    const old = this.#root.certificate;
    if (this.#secretDir !== null) {
      const { current, next, old: oldFile } = authorityFiles;
      await removeAuthorityPem(this.#secretDir, oldFile);
      await saveAuthorityPem(this.#secretDir, oldFile, `${old.toString().trimEnd()}\n`);
      await moveAuthorityPem(this.#secretDir, next, current);
    }
    this.#root = this.#next;
    this.#next = null;
    this.#old = old;
  }

  /** Ends the trust in the root before the present one. */
  async dropPredecessor(): Promise<void> {
    if (this.#secretDir !== null) await removeAuthorityPem(this.#secretDir, authorityFiles.old);
    this.#old = null;
  }

  /**
   * Issues the certificate of a principal for a public key (SPKI DER) whose possession was proved before.
   * Throws `denied` for a malformed name or a key that is not P-256, `config_invalid` for an address that
   * is neither host name nor IP address.
   */
  async issue(request: CertificateRequest & { readonly publicKey: Buffer }): Promise<IssuedCertificate> {
    return this.handOut(await this.prepare(request), request.incarnation ?? null);
  }

  /** Makes what `issue` would, before it is known whether anybody gets it: nobody may until `handOut`. */
  async prepare(request: CertificateRequest & { readonly publicKey: Buffer }): Promise<PreparedCertificate> {
    const { name } = request;
    const root = this.fingerprint;
    const uri = spiffeUri(this.treeId, name);
    const { certificate: issuer, signingKey } = this.#root;
    const publicKey = new PublicKey(spkiOf(p256PublicKey(request.publicKey)));
    const now = request.now ?? Date.now();
    const serial = newSerial();
    const notBefore = wholeSecond(now - clockSkewMs);
    const notAfter = wholeSecond(Math.min(now + request.lifetimeMs, issuer.validToDate.getTime()));
    const certificate = await X509CertificateGenerator.create({
      serialNumber: serial,
      subject: [{ CN: [request.name] }],
      issuer: [{ CN: [authorityName(this.treeId)] }],
      notBefore: new Date(notBefore),
      notAfter: new Date(notAfter),
      publicKey,
      signingKey,
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
        await AuthorityKeyIdentifierExtension.create(new PublicKey(spkiOf(issuer.publicKey))),
      ],
    });
    const certificatePem = `${certificate.toString('pem').trimEnd()}\n`;
    const issued = { certificatePem, serial, notBefore, notAfter };
    const subjectAltName = new X509Certificate(certificatePem).subjectAltName ?? '';
    return { name, root, publicKey: request.publicKey, issued, subjectAltName };
  }

  /** Issues a certificate that was prepared; it must be signed by the present root, and the key have been proved. */
  handOut(
    { name, issued, subjectAltName }: PreparedCertificate,
    incarnation: number | null,
  ): IssuedCertificate {
    for (const listener of this.#listeners) listener({ ...issued, name, subjectAltName, incarnation });
    return issued;
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

function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase();
}

function addressName(address: string): { type: 'ip' | 'dns'; value: string } {
  if (isIP(address)) return { type: 'ip', value: address };
  if (hostPattern.test(address)) return { type: 'dns', value: address };
  throw new ElderError('config_invalid', `neither a host name nor an IP address: ${JSON.stringify(address)}`);
}
