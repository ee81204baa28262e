import { z } from 'zod';

const pattern = /^(\*\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[1-9]\d{0,4})?$/;

/** A host of the network, as `registry.npmjs.org`, `*.example.com` or `localhost:8080`; without a port 80 and 443. */
export const networkHost = z
  .string()
  .max(262)
  .regex(pattern, 'expected a host such as registry.npmjs.org, *.example.com or localhost:8080');

const defaultPorts = [80, 443];

function split(host: string): { name: string; ports: readonly number[] } {
  const [name = '', port] = host.split(':');
  return { name, ports: port === undefined ? defaultPorts : [Number(port)] };
}

function covers(allowed: string, name: string): boolean {
  return allowed.startsWith('*.') ? name.endsWith(allowed.slice(1)) : name === allowed;
}

/** Finds the entry of a list that allows a connection; `undefined` if none does. */
export function findAllowedHost(allowed: readonly string[], name: string, port: number): string | undefined {
  return allowed.find((entry) => {
    const host = split(entry);
    return host.ports.includes(port) && covers(host.name, name.toLowerCase());
  });
}

/** Gives those hosts that a list does not allow as a whole. */
export function hostsBeyond(wanted: readonly string[], allowed: readonly string[]): string[] {
  return wanted.filter((entry) => {
    const { name, ports } = split(entry);
    return !ports.every((port) =>
      allowed.some((other) => split(other).ports.includes(port) && covers(split(other).name, name)),
    );
  });
}
