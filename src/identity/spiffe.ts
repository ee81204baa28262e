import { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import { ElderError } from '../protocol/errors.ts';

const treePattern = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const namePattern = /^[a-z][a-z0-9_]{0,62}$/;

/** Gives the one URI that a certificate of this principal carries. Throws `denied` for a malformed tree or name. */
export function spiffeUri(tree: string, name: string): string {
  if (!treePattern.test(tree)) throw new ElderError('denied', `not a tree id: ${JSON.stringify(tree)}`);
  if (!namePattern.test(name)) throw new ElderError('denied', `not a principal: ${JSON.stringify(name)}`);
  return `spiffe://${tree}/elder/${name}`;
}

/**
 * Tells who a verified peer is: the name in the one URI of its certificate. Throws `denied` when the
 * certificate is absent, names no URI or several, or names another tree.
 */
export function peerName(certificate: PeerCertificate | X509Certificate, tree: string): string {
  const uris = subjectAltNames(certificate)
    .filter((entry) => entry.type === 'URI')
    .map((entry) => entry.value);
  const [uri] = uris;
  if (uri === undefined || uris.length !== 1) {
    throw new ElderError('denied', `the certificate names ${uris.length} URIs where exactly 1 is required`);
  }
  const name = uri.slice(uri.lastIndexOf('/') + 1);
  if (!namePattern.test(name) || uri !== spiffeUri(tree, name)) {
    throw new ElderError('denied', `${JSON.stringify(uri)} is not a principal of tree ${tree}`);
  }
  return name;
}

/** Throws `denied` unless the certificate is that of exactly this principal of this tree. */
export function requirePeer(
  certificate: PeerCertificate | X509Certificate,
  expected: { readonly tree: string; readonly name: string },
): void {
  const name = peerName(certificate, expected.tree);
  if (name !== expected.name) {
    throw new ElderError('denied', `the peer is ${name} where ${expected.name} is required`);
  }
}

function subjectAltNames(certificate: PeerCertificate | X509Certificate): { type: string; value: string }[] {
  const text =
    certificate instanceof X509Certificate ? certificate.subjectAltName : certificate.subjectaltname;
  if (text === undefined) return [];
  // Node joins the names with commas and quotes a value that holds one itself: splitting at commas would let
  // a DNS name pose as a URI, so whatever this grammar does not cover is refused.
  const entry = /([A-Za-z][A-Za-z0-9 ]*):("(?:[^"\\]|\\.)*"|[^",]*)(?:, (?=.)|$)/y;
  const names: { type: string; value: string }[] = [];
  while (entry.lastIndex < text.length) {
    const match = entry.exec(text);
    if (!match) throw new ElderError('denied', 'the certificate has alternative names that cannot be read');
    names.push({ type: match[1] as string, value: match[2] as string });
  }
  return names;
}
