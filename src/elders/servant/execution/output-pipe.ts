import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Both ends of a pipe of the kernel. */
export interface OutputPipe {
  readonly reader: Socket;
  /** Descriptor for the command's standard output. */
  readonly writer: number;
  /** Closes our copy of the writing end: the reader ends once the command's copies are closed too. */
  closeWriter(): void;
}

/**
 * Makes a pipe by way of a FIFO at `path`, whose name is removed at once. Node's own stdio pipes are sockets,
 * on which `> /dev/stdout` and `tee /dev/stderr` fail. Throws the system's error if that is not possible.
 */
export async function openOutputPipe(path: string): Promise<OutputPipe> {
  await rm(path, { force: true });
  await run('mkfifo', ['-m', '600', path], { env: { PATH: '/usr/bin:/bin' } });
  // The reader first: opening a FIFO to write waits for one.
  const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  let writing: number;
  try {
    writing = openSync(path, constants.O_WRONLY);
  } catch (error) {
    closeSync(reading);
    throw error;
  } finally {
    await rm(path, { force: true });
  }
  const reader = new Socket({ fd: reading, readable: true, writable: false });
  return { reader, writer: writing, closeWriter: () => closeSync(writing) };
}
