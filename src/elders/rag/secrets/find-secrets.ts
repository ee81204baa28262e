import { basename, extname } from 'node:path';
import { presetSecrets, type SecretSpan } from './preset.ts';
import { privateKeys } from './private-keys.ts';
import { secretNames, secretRules } from './rules.ts';

/** A secret in a file; what it is is not kept. */
export interface FoundSecret {
  readonly rule: string;
  /** Counted from 1. */
  readonly line: number;
}

/** A text without the lines that hold secrets; as many lines as before. */
export interface CleanedText {
  readonly text: string;
  readonly found: readonly FoundSecret[];
}

/** In such files nearly every line is a setting, and what stands beside a secret often is one too. */
const settings = new Set(
  '.json .yaml .yml .toml .ini .cfg .conf .properties .env .tfvars .xml .plist'.split(' '),
);
/** What gitleaks lets pass: examples, placeholders, references to where the secret is. */
const harmless =
  /example|placeholder|changeme|your[-_]|dummy|redacted|xxxx|\*\*\*\*|^[\d.]+$|^[a-z]+$|^[A-Z_]+$|^[a-z]+(?:[-_.][a-z]+)+$|^(?:process|os|env|self|this|config|ctx|options?)\./iu;
const redacted = '[secret]';

/** Tells by its name whether a file is made to hold secrets. */
export function isSecretFile(path: string): boolean {
  return secretNames.test(basename(path));
}

/** Tells whether a file with a secret in it is left out as a whole. */
export function isSettings(path: string): boolean {
  return settings.has(extname(path).toLowerCase());
}

/** Shannon entropy, bits per character. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let sum = 0;
  for (const count of counts.values()) sum -= (count / text.length) * Math.log2(count / text.length);
  return sum;
}

function isSecret(rule: (typeof secretRules)[number], value: string): boolean {
  if (rule.entropy !== undefined && entropy(value) < rule.entropy) return false;
  if (rule.id !== 'generic-api-key') return !/EXAMPLE/u.test(value);
  // Words joined by capitals are names in code; a secret of this length has digits.
  return /\d/u.test(value) && !/^(?:0x)?\d+$/u.test(value) && !harmless.test(value);
}

/** Replaces every line that holds a part of a secret. */
export function removeSecrets(text: string): CleanedText {
  const lower = text.toLowerCase();
  const spans: SecretSpan[] = [...presetSecrets(text), ...privateKeys(text)];
  for (const rule of secretRules) {
    if (!rule.keywords.some((word) => lower.includes(word))) continue;
    for (const match of text.matchAll(rule.pattern)) {
      const [whole, value = whole] = match;
      if (isSecret(rule, value)) {
        spans.push({ start: match.index, end: match.index + whole.length, rule: rule.id });
      }
    }
  }
  if (spans.length === 0) return { text, found: [] };
  spans.sort((a, b) => a.start - b.start);
  const found: FoundSecret[] = [];
  const lines = text.split('\n');
  let at = 0;
  let next = 0;
  for (let line = 0; line < lines.length; line += 1) {
    const end = at + (lines[line] ?? '').length;
    let hit = false;
    while (next < spans.length && spans[next]!.end <= at) next += 1;
    for (let index = next; index < spans.length && spans[index]!.start <= end; index += 1) {
      const span = spans[index]!;
      if (span.end <= at) continue;
      hit = true;
      if (span.start >= at) found.push({ rule: span.rule, line: line + 1 });
    }
    if (hit) lines[line] = redacted;
    at = end + 1;
  }
  return { text: lines.join('\n'), found };
}

/** What keeps secrets out of the index. */
export interface SecretGuard {
  /** Whether a file is not opened at all. */
  readonly isSecretFile: (path: string) => boolean;
  readonly removeSecrets: (text: string) => CleanedText;
}

/** By the rules of secretlint and those that come with this program. */
export const secretGuard: SecretGuard = { isSecretFile, removeSecrets };
