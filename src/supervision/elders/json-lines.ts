import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/**
 * Yields one parsed value per line of a stream until it ends. Throws when a line is not JSON or longer than
 * `maxLength` characters, so that a faulty writer cannot fill this process's memory.
 */
export async function* readJsonLines(stream: Readable, maxLength: number): AsyncGenerator<unknown, void> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream) {
    rest += decoder.write(chunk as Buffer);
    const lines = rest.split('\n');
    rest = lines.pop() as string;
    if (rest.length > maxLength || lines.some((line) => line.length > maxLength)) {
      throw new Error(`a line is longer than ${maxLength} characters`);
    }
    for (const line of lines) if (line !== '') yield JSON.parse(line);
  }
}
