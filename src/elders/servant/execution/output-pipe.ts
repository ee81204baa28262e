import { execFile } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** How many pipes are made at once: starting `mkfifo` costs as much as starting a command. */
const batch = 8;

/** Both ends of a pipe of the kernel. */
export interface OutputPipe {
  readonly reader: Socket;
  /** Descriptor for the command's standard output. */
  readonly writer: number;
  /** Closes our copy of the writing end: the reader ends once the command's copies are closed too. */
  closeWriter(): void;
}

interface Ends {
  readonly reading: number;
  readonly writing: number;
}

const spare: Ends[] = [];

/**
 * Gives a pipe. Node's own stdio pipes are sockets, on which `> /dev/stdout` and `tee /dev/stderr` fail, and it
 * makes no others, so these are FIFOs whose names are gone. Throws the system's error if that is not possible.
 */
export async function openOutputPipe(): Promise<OutputPipe> {
  if (spare.length === 0) spare.push(...(await makePipes()));
  const { reading, writing } = spare.pop()!;
  const reader = new Socket({ fd: reading, readable: true, writable: false });
  return { reader, writer: writing, closeWriter: () => closeSync(writing) };
}

async function makePipes(): Promise<Ends[]> {
  const folder = mkdtempSync(join(tmpdir(), 'elders-pipes-'));
  try {
    const paths = Array.from({ length: batch }, (_, index) => join(folder, String(index)));
    await run('mkfifo', ['-m', '600', ...paths], { env: { PATH: '/usr/bin:/bin' } });
    return paths.map(openEnds);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function openEnds(path: string): Ends {
  // The reader first: opening a FIFO to write waits for one.
  const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reading, writing: openSync(path, constants.O_WRONLY) };
}
