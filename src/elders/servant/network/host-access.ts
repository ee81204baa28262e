import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { socketFolderPrefix } from '../../../telemetry/sandbox-leftovers.ts';
import { openHostProxy } from './host-proxy.ts';
import { proxiedCommand, proxyArguments, proxyEnvironment } from './proxied-command.ts';

/** What lets one sandboxed command reach named hosts. */
export interface HostAccess {
  /** For bubblewrap. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Puts what the command needs for it before it. */
  before(command: readonly string[]): string[];
  close(): Promise<void>;
}

/** Opens access to these hosts for one command. Throws the system's error. */
export async function openHostAccess(options: {
  hosts: readonly string[];
  onRefused: (host: string) => void;
  /** The record of its sandbox, by which its socket is found when nobody could remove it. */
  recordPath: string;
}): Promise<HostAccess> {
  // Not in the state folder: the path of a socket may have 107 bytes at most.
  const folder = mkdtempSync(join(tmpdir(), socketFolderPrefix(options.recordPath)));
  const socketPath = join(folder, 'socket');
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const proxy = await openHostProxy({ ...options, socketPath });
    return {
      arguments: proxyArguments(socketPath),
      environment: proxyEnvironment(),
      before: proxiedCommand,
      close: async () => {
        await proxy.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
