import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import type { Challenge, KeyProof } from '../protocol/bootstrap.ts';
import { ElderError } from '../protocol/errors.ts';

/** A P-256 key pair; the private half never leaves the process that made it. */
export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** Keeps a signature made here from standing for anything else that the same key ever signs. */
const domain = 'elders-tree key proof v1';

/** Makes a new P-256 key pair. */
export function createKeyPair(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** Gives a public key as SPKI DER. */
export function spkiOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' });
}

/** Reads a public key from SPKI DER. Throws `denied` when it is none or not on P-256. */
export function p256PublicKey(spki: Buffer): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch (cause) {
    throw new ElderError('denied', 'the public key cannot be read', { cause });
  }
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new ElderError('denied', 'the public key is not a P-256 key');
  }
  return key;
}

/** Child: answers the manager's challenge with the public key and proof of the private one. */
export function proveKey(pair: KeyPair, challenge: Challenge): KeyProof {
  const publicKey = spkiOf(pair.publicKey);
  const signature = sign('sha256', statement(challenge, publicKey), {
    key: pair.privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return {
    kind: 'key',
    publicKey: publicKey.toString('base64'),
    signature: signature.toString('base64'),
  };
}

/**
 * Manager: gives the public key (SPKI DER) whose possession the answer to this very challenge proves. Throws
 * `denied` when it does not. A challenge must be used for one answer only.
 */
export function verifyKeyProof(challenge: Challenge, proof: KeyProof): Buffer {
  if (typeof proof.publicKey !== 'string' || typeof proof.signature !== 'string') {
    throw new ElderError('denied', `${challenge.name} sent no proof of its key`);
  }
  const key = p256PublicKey(Buffer.from(proof.publicKey, 'base64'));
  const publicKey = spkiOf(key);
  const proved = verify(
    'sha256',
    statement(challenge, publicKey),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(proof.signature, 'base64'),
  );
  if (!proved) throw new ElderError('denied', `${challenge.name} did not prove that it holds its key`);
  return publicKey;
}

function statement(challenge: Challenge, publicKey: Buffer): Buffer {
  const { tree, name, incarnation, nonce } = challenge;
  // JSON keeps the fields apart: no two different challenges give the same text.
  return Buffer.from(JSON.stringify([domain, tree, name, incarnation, nonce, publicKey.toString('base64')]));
}
