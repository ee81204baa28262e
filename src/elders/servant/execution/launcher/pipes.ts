import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';

/** How many pipes are made at once: starting `mkfifo` costs as much as starting a command. */
const batch = 32;

/** Names of FIFOs in a folder, each to be used once. */
export function pipeNames() {
  let made = 0;
  const spare: string[] = [];
  return {
    take: () => spare.pop(),
    /** Gives the names of those to be made next. */
    refill: () => {
      const names = Array.from({ length: batch }, (_, index) => `output-${made + index}`);
      made += batch;
      spare.push(...names);
      return names;
    },
  };
}

/** Opens the reading end of a FIFO; it ends once nobody can write to it any more, but not before somebody could. */
export function openReader(path: string): Socket {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false });
}
