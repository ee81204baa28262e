import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';

type Shown = Pick<ConnectionOptions, 'cert' | 'key' | 'ca' | 'minVersion'>;

let last: (Shown & { readonly context: SecureContext }) | undefined;

/** Has connections that show the same use one context: to make one takes a millisecond and some memory. */
export function withSharedContext(options: ConnectionOptions): ConnectionOptions {
  const { cert, key, ca, minVersion } = options;
  const isSame =
    last?.cert === cert && last?.key === key && last?.ca === ca && last?.minVersion === minVersion;
  if (last === undefined || !isSame) {
    last = { cert, key, ca, minVersion, context: createSecureContext(options) };
  }
  return { ...options, secureContext: last.context };
}
