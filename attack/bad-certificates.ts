import 'reflect-metadata';
import { generateKeyPairSync } from 'node:crypto';
import { KeyUsageFlags } from '@peculiar/x509';
import {
  clientAuth,
  codeSigning,
  type Forged,
  type Forgery,
  forgeCertificate,
  type Signer,
  serverAuth,
} from './forge-certificate.ts';

/** A certificate by which nobody may pass as `claims`. */
export interface BadCertificate extends Forged {
  readonly kind: string;
  /** Where it must be refused: by a server that it is shown to, or by a client that meets it as a server's. */
  readonly side: 'client' | 'server' | 'both';
  /** Whether Redis refuses it too: it judges chain, time and purpose, but not the name. */
  readonly redisRefuses: boolean;
}

interface BadCertificateOptions {
  readonly tree: string;
  /** The principal that they claim to be. */
  readonly claims: string;
  /** The authority of the tree with its key, so that each is wrong in one way only. */
  readonly authority: Signer;
  /** Certificates that were once good, by kind, such as one that was revoked. */
  readonly onceGood?: Readonly<Record<string, Forged>>;
}

type Change = Partial<Forgery>;
type Names = Forgery['names'];

/** Makes more than 50 kinds of bad certificates, each wrong in one way. */
export async function badCertificates(options: BadCertificateOptions): Promise<BadCertificate[]> {
  const { tree, claims, authority, onceGood = {} } = options;
  const right = { type: 'url', value: `spiffe://${tree}/elder/${claims}` } as const;
  const localhost = { type: 'dns', value: 'localhost' } as const;
  const forge = (names: Names, change: Change = {}) =>
    forgeCertificate({ signer: authority, commonName: claims, names, ...change });
  const bad: BadCertificate[] = [];
  const add = (kind: string, forged: Forged, rest: Partial<BadCertificate> = {}) => {
    const { certificate, key } = forged;
    bad.push({ kind, certificate, key, side: 'both', redisRefuses: false, ...rest });
  };

  for (const [kind, names] of badNames(tree, claims)) add(kind, await forge(names));
  const refused = { redisRefuses: true };
  for (const [kind, change] of badForms()) add(kind, await forge([right, localhost], change), refused);
  for (const [kind, change] of badKinds()) add(kind, await forge([right, localhost], change));
  const oneSided = { serverOnly: [serverAuth], clientOnly: [clientAuth] };
  add(
    'for servers only, used as a client',
    await forge([right, localhost], { usages: oneSided.serverOnly }),
    {
      side: 'client',
      redisRefuses: true,
    },
  );
  add(
    'for clients only, used as a server',
    await forge([right, localhost], { usages: oneSided.clientOnly }),
    {
      side: 'server',
    },
  );

  // A server may have such a key in older TLS, so a client cannot tell.
  const keyUsages = KeyUsageFlags.keyEncipherment;
  add('for encipherment only', await forge([right, localhost], { keyUsages }), {
    side: 'client',
    redisRefuses: true,
  });

  const self = await forgeCertificate({ commonName: claims, names: [right, localhost] });
  add('self-signed', self, refused);
  add(
    'self-signed by the name of the authority',
    await selfSigned(authority, claims, [right, localhost]),
    refused,
  );
  const foreign = await foreignAuthority('Somebody else');
  add('of another authority', await forge([right, localhost], { signer: foreign }), refused);
  const namesake = await foreignAuthority(authority.certificate.subject.replace('CN=', ''));
  add(
    'of another authority with the same name',
    await forge([right, localhost], { signer: namesake }),
    refused,
  );
  const servant = await forge([{ type: 'url', value: `spiffe://${tree}/elder/servant_1` }, localhost], {
    commonName: 'servant_1',
  });
  add(
    'signed by an elder',
    chained(await forge([right, localhost], { signer: servant.signer }), servant),
    refused,
  );
  const middle = await forge([], {
    commonName: 'intermediate',
    ca: true,
    keyUsages: KeyUsageFlags.keyCertSign,
  });
  add(
    'with an intermediate authority',
    chained(await forge([right, localhost], { signer: middle.signer }), middle),
    refused,
  );
  add('of the authority itself', {
    certificate: `${authority.certificate.toString().trimEnd()}\n`,
    key: authority.key.export({ format: 'pem', type: 'pkcs8' }).toString(),
  });
  add('with a signature that was tampered with', tampered(await forge([right, localhost])), refused);
  for (const [kind, forged] of Object.entries(onceGood)) add(kind, forged);
  return bad;
}

/** Names that are not the one URI of the principal. */
function badNames(tree: string, claims: string): [string, Names][] {
  const good = `spiffe://${tree}/elder/${claims}`;
  const localhost = { type: 'dns', value: 'localhost' } as const;
  const uri = (value: string) => ({ type: 'url', value }) as const;
  const upper = `${claims[0]?.toUpperCase()}${claims.slice(1)}`;
  const wrong: Record<string, string> = {
    'another tree': `spiffe://other-tree/elder/${claims}`,
    'a longer tree id': `spiffe://${tree}-2/elder/${claims}`,
    'no tree id': `spiffe:///elder/${claims}`,
    'a wildcard': `spiffe://${tree}/elder/*`,
    'a wildcard for the tree': `spiffe://*/elder/${claims}`,
    'a NUL after the name': `${good}\0.evil`,
    'a NUL before the name': `spiffe://${tree}/elder/\0${claims}`,
    'all upper case': good.toUpperCase(),
    'an upper-case scheme': good.replace('spiffe', 'SPIFFE'),
    'an upper-case letter in the name': `spiffe://${tree}/elder/${upper}`,
    'an upper-case path': `spiffe://${tree}/ELDER/${claims}`,
    'a trailing slash': `${good}/`,
    'a doubled slash': `spiffe://${tree}/elder//${claims}`,
    'percent-encoding': `spiffe://${tree}/elder/%${claims.charCodeAt(0).toString(16)}${claims.slice(1)}`,
    'a way up and down': `spiffe://${tree}/elder/servant_1/../${claims}`,
    'a way up, encoded': `spiffe://${tree}/elder/servant_1/%2e%2e/${claims}`,
    'a longer path': `${good}/evil`,
    'a longer name': `${good}.evil`,
    'a longer name of allowed letters': `${good}_evil`,
    'a query': `${good}?x`,
    'a fragment': `${good}#x`,
    'a user': `spiffe://evil@${tree}/elder/${claims}`,
    'a port': `spiffe://${tree}:443/elder/${claims}`,
    'a space after the name': `${good} `,
    'a line break after the name': `${good}\n`,
    'another scheme': `https://${tree}/elder/${claims}`,
    'another kind of principal': `spiffe://${tree}/user/${claims}`,
    'a principal that does not exist': `spiffe://${tree}/elder/`,
    'the right one inside another': `https://evil.example/${good}`,
  };
  return [
    ...Object.entries(wrong).map(([kind, value]): [string, Names] => [
      `URI with ${kind}`,
      [uri(value), localhost],
    ]),
    ['a common name only', []],
    ['DNS names only', [localhost, { type: 'dns', value: claims }]],
    ['an IP address only', [{ type: 'ip', value: '127.0.0.1' }]],
    ['a wildcard DNS name only', [{ type: 'dns', value: '*' }]],
    ['a DNS name that is the URI', [{ type: 'dns', value: good }]],
    ['a DNS name that holds the URI', [{ type: 'dns', value: `x, URI:${good}` }]],
    ['an e-mail address that holds the URI', [{ type: 'email', value: `a@b, URI:${good}` }]],
    ['two URIs, the right one first', [uri(good), uri(`spiffe://${tree}/elder/servant_1`)]],
    ['two URIs, the right one last', [uri(`spiffe://${tree}/elder/servant_1`), uri(good)]],
    ['the right URI twice', [uri(good), uri(good)]],
  ];
}

/** What TLS itself refuses, so Redis does as well. */
function badForms(): [string, Change][] {
  return [
    ['expired', { from: -7_200, to: -3_600 }],
    ['expired a second ago', { from: -7_200, to: -1 }],
    ['not yet valid', { from: 3_600, to: 7_200 }],
    ['for signing code', { usages: [codeSigning] }],
    ['for no purpose that fits its key usage', { keyUsages: KeyUsageFlags.keyCertSign }],
    ['a weak RSA key', { pair: generateKeyPairSync('rsa', { modulusLength: 1_024 }) }],
    ['a signature by SHA-1', { hash: 'SHA-1' }],
    ['a critical extension that nobody knows', { unknownCritical: true }],
  ];
}

/** What TLS lets pass, but this authority never issues. */
function badKinds(): [string, Change][] {
  return [
    [
      'that of an authority',
      { ca: true, keyUsages: KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign },
    ],
    ['an RSA key', { pair: generateKeyPairSync('rsa', { modulusLength: 2_048 }) }],
    ['a P-384 key', { pair: generateKeyPairSync('ec', { namedCurve: 'P-384' }) }],
    ['an Ed25519 key', { pair: generateKeyPairSync('ed25519') }],
  ];
}

function chained(leaf: Forged, issuer: Forged): Forged {
  return { certificate: `${leaf.certificate}${issuer.certificate}`, key: leaf.key };
}

function selfSigned(authority: Signer, claims: string, names: Names): Promise<Forged> {
  const issuerName = authority.certificate.subject.replace('CN=', '');
  return forgeCertificate({ commonName: claims, issuerName, names });
}

async function foreignAuthority(commonName: string): Promise<Signer> {
  const keyUsages = KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign;
  return (await forgeCertificate({ commonName, names: [], ca: true, keyUsages })).signer;
}

/** Turns one bit of the signature, which stands at the end. */
function tampered({ certificate, key }: Forged): Forged {
  const der = Buffer.from(certificate.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  const last = der.length - 1;
  der[last] = (der[last] ?? 0) ^ 1;
  const body = (der.toString('base64').match(/.{1,64}/g) ?? []).join('\n');
  return { certificate: `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`, key };
}
