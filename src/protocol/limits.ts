/** What one port accepts before it refuses; sizes in bytes, times in ms. */
export interface PortLimits {
  /** Connections at a time; more are closed at once. Those that have not shown a certificate yet do not count, where one is asked for. */
  readonly connections: number;
  /** TLS handshakes under way at a time; with one more the oldest is ended, so that nobody who has a certificate is kept waiting by those who have none. */
  readonly handshakes: number;
  /** Connections at a time of one source, where the port can tell sources apart. */
  readonly connectionsPerSource: number;
  readonly headerBytes: number;
  readonly bodyBytes: number;
  /** Objects and arrays inside one another in a body. */
  readonly depth: number;
  /** From the opening of a connection to the end of its TLS handshake. */
  readonly handshakeMs: number;
  /** From the first byte of a request to the end of its headers. */
  readonly headersMs: number;
  /** From the first byte of a request to the end of its body. */
  readonly requestMs: number;
  /** How long a connection may be idle between two requests. */
  readonly idleMs: number;
  /** Requests per second of one source in the long run, and how many at once before that counts. */
  readonly rate: number;
  readonly burst: number;
}

/** Limits of every port that a tree opens. The sources of an elder's port are principals; a socket has one source. */
export const portLimits = {
  elder: {
    connections: 512,
    handshakes: 64,
    connectionsPerSource: 32,
    headerBytes: 8_192,
    // A list of the certificates taken back within one lifetime has to fit.
    bodyBytes: 1_048_576,
    depth: 16,
    handshakeMs: 5_000,
    headersMs: 5_000,
    requestMs: 10_000,
    idleMs: 30_000,
    rate: 100,
    burst: 400,
  },
  manager: {
    connections: 64,
    handshakes: 0,
    connectionsPerSource: 64,
    headerBytes: 16_384,
    bodyBytes: 65_536,
    depth: 16,
    handshakeMs: 5_000,
    headersMs: 5_000,
    requestMs: 10_000,
    idleMs: 1_000,
    rate: 200,
    burst: 1_000,
  },
  gateway: {
    connections: 512,
    handshakes: 0,
    connectionsPerSource: 512,
    headerBytes: 8_192,
    bodyBytes: 4_194_304,
    depth: 64,
    handshakeMs: 5_000,
    headersMs: 5_000,
    requestMs: 30_000,
    idleMs: 5_000,
    rate: 500,
    burst: 2_000,
  },
} as const satisfies Record<string, PortLimits>;

/** Gives the limits as Node's HTTP servers take them; `connections` is set on the server itself. */
export function serverLimits(limits: PortLimits) {
  return {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    // Node looks for requests that are late only this often.
    connectionsCheckingInterval: 1_000,
  };
}
