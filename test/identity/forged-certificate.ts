import 'reflect-metadata';
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type GeneralNameType,
  PublicKey,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { Authority } from '../../src/identity/authority.ts';
import { createKeyPair, spkiOf } from '../../src/identity/key-proof.ts';
import type { TlsIdentity } from '../../src/identity/tls.ts';

/** An authority whose key the test holds, as a thief of `ca.pem` would. */
export interface StolenAuthority {
  readonly authority: Authority;
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** Makes an authority on disk, reads its key from there, and removes the folder. */
export async function stolenAuthority(treeId: string): Promise<StolenAuthority> {
  const folder = await mkdtemp(join(tmpdir(), 'elders-ca-'));
  try {
    const authority = await Authority.open(folder, treeId);
    const pem = await readFile(join(folder, 'ca.pem'), 'utf8');
    return { authority, certificate: new X509Certificate(pem), key: createPrivateKey(pem) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

export interface Forgery {
  /** Whose key signs; the certificate's own key when left out. */
  readonly issuer?: { readonly certificate: X509Certificate; readonly key: KeyObject };
  readonly commonName?: string;
  readonly names: readonly { readonly type: GeneralNameType; readonly value: string }[];
  /** Seconds from now. */
  readonly from?: number;
  readonly to?: number;
  readonly usages?: readonly string[];
  readonly ca?: boolean;
}

/** Makes a certificate that says whatever it is told, signed by the key given. */
export async function forge(
  forgery: Forgery,
): Promise<{ certificate: string; key: string; keyObject: KeyObject }> {
  const pair = createKeyPair();
  const commonName = forgery.commonName ?? 'task_sage';
  const key = forgery.issuer?.key ?? pair.privateKey;
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const pkcs8 = key.export({ format: 'der', type: 'pkcs8' });
  const certificate = await X509CertificateGenerator.create({
    subject: [{ CN: [commonName] }],
    issuer: [{ CN: [forgery.issuer?.certificate.subject.replace('CN=', '') ?? commonName] }],
    notBefore: new Date(Date.now() + (forgery.from ?? -60) * 1000),
    notAfter: new Date(Date.now() + (forgery.to ?? 3600) * 1000),
    publicKey: new PublicKey(spkiOf(pair.publicKey)),
    signingKey: await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [
      new BasicConstraintsExtension(forgery.ca ?? false, undefined, true),
      new ExtendedKeyUsageExtension([...(forgery.usages ?? [clientAuth, serverAuth])]),
      ...(forgery.names.length > 0 ? [new SubjectAlternativeNameExtension([...forgery.names])] : []),
    ],
  });
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    keyObject: pair.privateKey,
  };
}

export const serverAuth = '1.3.6.1.5.5.7.3.1';
export const clientAuth = '1.3.6.1.5.5.7.3.2';

/** The bad ways to claim to be `task_sage` of this tree, each with the reason why it must fail. */
export async function badIdentities(stolen: StolenAuthority): Promise<Map<string, TlsIdentity>> {
  const { authority } = stolen;
  const ca = authority.caPem;
  const tree = authority.treeId;
  const good = `spiffe://${tree}/elder/task_sage`;
  const localhost = { type: 'dns', value: 'localhost' } as const;
  const uri = (value: string) => ({ type: 'url', value }) as const;
  const foreign = await stolenAuthority(tree);
  const servant = await forge({
    issuer: stolen,
    commonName: 'servant_1',
    names: [uri(`spiffe://${tree}/elder/servant_1`)],
  });
  const underLeaf = await forge({
    issuer: { certificate: new X509Certificate(servant.certificate), key: servant.keyObject },
    names: [uri(good)],
  });
  const signed = (names: Forgery['names'], rest: Partial<Forgery> = {}) =>
    forge({ issuer: stolen, names, ...rest });

  const identities: Record<string, { certificate: string; key: string }> = {
    'self-signed': await forge({ names: [uri(good), localhost] }),
    'foreign authority with the same name': await forge({ issuer: foreign, names: [uri(good), localhost] }),
    expired: await signed([uri(good), localhost], { from: -7200, to: -3600 }),
    'not yet valid': await signed([uri(good), localhost], { from: 3600, to: 7200 }),
    'signed by an elder instead of the authority': {
      certificate: underLeaf.certificate + servant.certificate,
      key: underLeaf.key,
    },
    'another elder of the tree': servant,
    'another tree': await signed([uri('spiffe://other-tree/elder/task_sage'), localhost]),
    'a longer tree id': await signed([uri(`spiffe://${tree}-2/elder/task_sage`), localhost]),
    'no alternative name at all': await signed([]),
    'no URI': await signed([localhost, { type: 'dns', value: 'task_sage' }]),
    'two URIs, the right one first': await signed([uri(good), uri(`spiffe://${tree}/elder/servant_1`)]),
    'two URIs, the right one last': await signed([uri(`spiffe://${tree}/elder/servant_1`), uri(good)]),
    'the right URI twice': await signed([uri(good), uri(good)]),
    'a longer name': await signed([uri(`${good}.evil`), localhost]),
    'a longer name of allowed letters': await signed([uri(`${good}_evil`), localhost]),
    'a longer path': await signed([uri(`${good}/evil`), localhost]),
    'a trailing slash': await signed([uri(`${good}/`), localhost]),
    'a query': await signed([uri(`${good}?x`), localhost]),
    'a fragment': await signed([uri(`${good}#x`), localhost]),
    'the right URI inside another': await signed([uri(`https://evil.example/${good}`), localhost]),
    'a folder in between': await signed([uri(`spiffe://${tree}/elder/evil/task_sage`), localhost]),
    'another kind of principal': await signed([uri(`spiffe://${tree}/user/task_sage`), localhost]),
    'upper case': await signed([uri(good.toUpperCase()), localhost]),
    'percent-encoding': await signed([uri(good.replace('task', '%74ask')), localhost]),
    'a NUL after the name': await signed([uri(`${good}\0.evil`), localhost]),
    'a DNS name that holds the URI': await signed([{ type: 'dns', value: `x, URI:${good}` }]),
    'a DNS name that is the URI': await signed([{ type: 'dns', value: good }]),
    'an e-mail address that holds the URI': await signed([{ type: 'email', value: `a@b, URI:${good}` }]),
  };
  return new Map(
    Object.entries(identities).map(([kind, { certificate, key }]) => [kind, { certificate, key, ca }]),
  );
}
