/** Gives the address at which this host reaches a port that listens on `host`; a wildcard cannot be connected to. */
export function connectAddress(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

/** Lists what a certificate must name, so that whoever connects to a port on `host` finds it there. */
export function certificateAddresses(host: string): string[] {
  return [...new Set([connectAddress(host), '127.0.0.1', '::1'])];
}
