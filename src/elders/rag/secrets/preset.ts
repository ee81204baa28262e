import { rules } from '@secretlint/secretlint-rule-preset-recommend';

/** A rule of secretlint, as far as one is used (github.com/secretlint/secretlint, docs/secretlint-rule.md). */
interface PresetRule {
  readonly meta: { readonly id: string; readonly type: 'scanner' | 'filter' };
  create(
    context: {
      readonly sharedOptions: object;
      readonly createTranslator: () => (messageId: string) => object;
      readonly report: (found: { readonly range: readonly [number, number] }) => void;
      readonly ignore: () => void;
    },
    options: object,
  ): {
    file?(source: { readonly content: string; readonly filePath: string; readonly ext: string }): unknown;
  };
}

/** Where a secret stands (UTF-16 units), and by which rule. */
export interface SecretSpan {
  readonly start: number;
  readonly end: number;
  readonly rule: string;
}

/** Filters let a file switch rules off by a comment: whoever writes the file is not who is asked here. */
const scanners = (rules as unknown as readonly PresetRule[]).filter(({ meta }) => meta.type === 'scanner');

/**
 * The secrets that the recommended rules of secretlint find in a text. They are called without its core, which keeps
 * marks of each call for ever, and by the text alone: what a rule would read from the disk is not opened.
 */
export function presetSecrets(text: string): SecretSpan[] {
  const found: SecretSpan[] = [];
  for (const rule of scanners) {
    const name = rule.meta.id.replace(/^.*secretlint-rule-/u, '');
    const handler = rule.create(
      {
        sharedOptions: {},
        createTranslator: () => (messageId) => ({ message: messageId, messageId }),
        report: ({ range: [start, end] }) => found.push({ start, end, rule: name }),
        ignore: () => undefined,
      },
      {},
    );
    handler.file?.({ content: text, filePath: 'text', ext: '' });
  }
  return found;
}
