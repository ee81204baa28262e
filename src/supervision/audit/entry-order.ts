import { compareStreamIds } from '../../messaging/stream-id.ts';

/** Compares two places in one edge, `<message id>#<part of the message>`: above 0 if the first comes later. */
export function compareEntries(one: string, other: string): number {
  const [id = '', part = '0'] = one.split('#');
  const [otherId = '', otherPart = '0'] = other.split('#');
  return compareStreamIds(id, otherId) || Number(part) - Number(otherPart);
}
