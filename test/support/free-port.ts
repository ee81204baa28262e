import { isFree, takePort } from '../../scripts/loopback-port.ts';

/** Between the ports of the trees and those that the kernel hands out by itself, two for each claim. */
const first = 30_400;
const pairs = 1_100;

/**
 * Gives a TCP port of the loopback that nobody listens on and that nobody else who asks here is given until this process
 * ends: its neighbour is held as a claim. The kernel gives it to no outgoing connection, so that a server can also be
 * started on it again. Throws when none is left.
 */
export async function freePort(): Promise<number> {
  const start = Math.floor(Math.random() * pairs);
  for (let turn = 0; turn < pairs; turn += 1) {
    const port = first + 2 * ((start + turn) % pairs);
    const claim = await takePort(port + 1);
    if (claim === null) continue;
    if (await isFree(port)) return port;
    claim.close();
  }
  throw new Error(`none of ${pairs} ports of the loopback is free`);
}
