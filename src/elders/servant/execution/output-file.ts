import { createHash } from 'node:crypto';
import { closeSync, constants, mkdirSync, openSync, write as writeFile } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ElderError } from '../../../protocol/errors.ts';
import { fileName } from '../../../protocol/file-name.ts';
import { OutputTail } from './output-tail.ts';

const write = promisify(writeFile);

/** What is known of an output once it has ended; `bytes` and `sha256` are those of the file. */
export interface OutputSummary {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** The end of what the command printed, of the part that the file had no room for too. */
  readonly tail: string;
  /** Why the file is not complete, where it is not. */
  readonly problem: string | null;
}

/** Names the output file of one attempt below `folder`. Throws `malformed` for an id that could lead elsewhere. */
export function outputPath(options: {
  folder: string;
  directiveId: string;
  taskId: string;
  attempt: number;
}): string {
  const { folder, directiveId, taskId, attempt } = options;
  if (!Number.isSafeInteger(attempt) || attempt < 1) {
    throw new ElderError('malformed', `${attempt} is not the number of an attempt`);
  }
  return join(folder, fileName(directiveId), `${fileName(taskId)}.${attempt}.log`);
}

/** The file that takes the output of one attempt; mode 0600, its folder 0700. */
export class OutputFile {
  readonly path: string;
  readonly #file: number;
  readonly #limit: number;
  readonly #hash = createHash('sha256');
  readonly #tail = new OutputTail();
  #bytes = 0;
  #dropped = 0;
  #problem: string | null = null;

  private constructor(path: string, file: number, limit: number) {
    this.path = path;
    this.#file = file;
    this.#limit = limit;
  }

  /**
   * Opens the file empty, at once: to hand that to another thread costs more than it takes. Throws the system's error if
   * it is not possible.
   */
  static open(path: string, limit: number): OutputFile {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
    const file = openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
    return new OutputFile(path, file, limit);
  }

  /**
   * Takes all of a stream, each chunk only after the last is written. What is beyond the limit, or cannot be
   * written, is read and dropped, so that the command never blocks on us. Never rejects: what goes wrong
   * becomes the summary's `problem`.
   */
  async consume(stream: AsyncIterable<Buffer>): Promise<void> {
    try {
      for await (const chunk of stream) {
        this.#tail.push(chunk);
        const kept = chunk.subarray(0, this.#problem === null ? this.#limit - this.#bytes : 0);
        if (kept.length > 0) await this.#write(kept);
        this.#dropped += chunk.length - kept.length;
      }
    } catch (error) {
      this.#problem ??= `the output was not read to its end: ${(error as Error).message}`;
    }
  }

  /** Closes the file and sums it up; a file that took not all of the output ends with a line that says so. */
  async finish(): Promise<OutputSummary> {
    if (this.#dropped > 0) {
      this.#problem ??= `output beyond ${this.#limit} bytes was dropped (${this.#dropped} bytes)`;
      await this.#write(Buffer.from(`\n[elders: ${this.#problem}]\n`));
    }
    closeSync(this.#file);
    return {
      path: this.path,
      bytes: this.#bytes,
      sha256: this.#hash.digest('hex'),
      tail: this.#tail.text(),
      problem: this.#problem,
    };
  }

  async #write(data: Buffer): Promise<void> {
    let offset = 0;
    try {
      while (offset < data.length) {
        const { bytesWritten } = await write(this.#file, data, offset);
        offset += bytesWritten;
      }
    } catch (error) {
      this.#problem ??= `the output file could not be written: ${(error as Error).message}`;
    }
    this.#hash.update(data.subarray(0, offset));
    this.#bytes += offset;
  }
}
