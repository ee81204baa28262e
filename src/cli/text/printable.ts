// What a command printed, or a title that somebody wrote, must not be able to drive the terminal of who reads it.
const controls = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Makes foreign text safe to print on one line: control characters become `·`. */
export function oneLine(text: string): string {
  return text.replace(controls, '·');
}

/** Makes foreign text safe to print over several lines; line breaks and tabs stay. */
export function manyLines(text: string): string {
  return text
    .replace(/\r\n/g, '\n')
    .replace(controls, (char) => (char === '\n' || char === '\t' ? char : '·'));
}
