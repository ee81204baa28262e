import { ElderError } from './errors.ts';

const quote = 34;
const backslash = 92;
const opening = new Set([91, 123]);
const closing = new Set([93, 125]);

/**
 * Parses JSON that anybody may have sent. Throws `malformed` when it is none, or when objects and arrays are nested
 * deeper than `maxDepth`: a deep value would carry whatever walks through it past the end of the stack.
 */
export function parseBoundedJson(text: string, maxDepth: number): unknown {
  if (deeperThan(text, maxDepth)) {
    throw new ElderError('malformed', `the body is nested deeper than ${maxDepth} levels`);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ElderError('malformed', 'the body is not JSON', { cause });
  }
}

/** Looks at the brackets outside of strings only, so that it costs no memory whatever the text is. */
function deeperThan(text: string, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === backslash) at += 1;
      else if (code === quote) inString = false;
    } else if (code === quote) inString = true;
    else if (opening.has(code)) {
      depth += 1;
      if (depth > limit) return true;
    } else if (closing.has(code)) depth -= 1;
  }
  return false;
}
