import { randomBytes, sign } from 'node:crypto';
import { type KeyPair, spkiOf } from './key-proof.ts';
import { spiffeUri } from './spiffe.ts';

const object = { commonName: '550403', ecdsaWithSha256: '2a8648ce3d040302', subjectAltName: '551d11' };
const minuteMs = 60_000;

/**
 * Makes a certificate that is signed by its own key and valid for minutes: nobody trusts it but who made it. PEM.
 * Throws `denied` for a malformed tree or name.
 */
export function throwawayCertificate(pair: KeyPair, owner: { tree: string; name: string }): string {
  const algorithm = sequence(identifier(object.ecdsaWithSha256));
  const name = sequence(
    tlv(0x31, sequence(identifier(object.commonName), tlv(0x0c, Buffer.from(owner.name)))),
  );
  const uri = tlv(0x86, Buffer.from(spiffeUri(owner.tree, owner.name)));
  const alternative = sequence(identifier(object.subjectAltName), tlv(0x04, sequence(uri)));
  const content = sequence(
    tlv(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([0x40]), randomBytes(8)])),
    algorithm,
    name,
    sequence(time(Date.now() - minuteMs), time(Date.now() + 10 * minuteMs)),
    name,
    spkiOf(pair.publicKey),
    tlv(0xa3, sequence(alternative)),
  );
  const signature = sign('sha256', content, pair.privateKey);
  const der = sequence(content, algorithm, tlv(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** One value of DER: its tag, its length, its bytes. */
function tlv(tag: number, bytes: Buffer): Buffer {
  const { length } = bytes;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), bytes]);
}

function sequence(...parts: Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(parts));
}

function integer(bytes: Buffer): Buffer {
  return tlv(0x02, bytes);
}

function identifier(hex: string): Buffer {
  return tlv(0x06, Buffer.from(hex, 'hex'));
}

function time(at: number): Buffer {
  const [date = '', clock = ''] = new Date(at).toISOString().slice(2, 19).replaceAll(/[-:]/g, '').split('T');
  return tlv(0x17, Buffer.from(`${date}${clock}Z`));
}
