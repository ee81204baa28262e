import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { rootCertificates } from 'node:tls';
import type { RedisEndpoint } from '../../protocol/bootstrap.ts';
import type { Config } from '../../protocol/config.ts';
import { ElderError } from '../../protocol/errors.ts';

/** A Redis of the user's: where it is and as whom the manager logs in. */
export interface ExternalRedis {
  readonly endpoint: RedisEndpoint;
  readonly credential: { readonly username: string; readonly password: string };
}

/**
 * Reads where the user's own Redis is; paths of files count from the project. Throws `config_invalid` when a
 * file cannot be read or the URL holds no password.
 */
export async function loadExternalRedis(
  setting: NonNullable<Config['redis']>,
  project: string,
): Promise<ExternalRedis> {
  const { url, ca, cert, key } = typeof setting === 'string' ? { url: setting } : { ...setting };
  const { hostname, port, username, password } = new URL(url);
  if (password === '') throw new ElderError('config_invalid', 'redis: the URL holds no password');
  const read = async (name: string, file: string | undefined) => {
    if (file === undefined) return undefined;
    return readFile(resolve(project, file), 'utf8').catch((cause: Error) => {
      throw new ElderError('config_invalid', `redis.${name}: ${cause.message}`, { cause });
    });
  };
  const [caPem, certPem, keyPem] = await Promise.all([read('ca', ca), read('cert', cert), read('key', key)]);
  return {
    endpoint: {
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? 6379 : Number(port),
      ca: caPem ?? rootCertificates.join('\n'),
      ...(certPem === undefined ? {} : { cert: certPem }),
      ...(keyPem === undefined ? {} : { key: keyPem }),
    },
    credential: {
      username: username === '' ? 'default' : decodeURIComponent(username),
      password: decodeURIComponent(password),
    },
  };
}
