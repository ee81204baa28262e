/** A guard that a test can switch off in the attacked elders, to see that the attack notices. */
export type Guard = 'receiver' | 'san';

interface Edit {
  /** End of the URL of the file. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** How each is switched off: one place of the program, read differently. */
export const guardEdits: Readonly<Record<Guard, Edit>> = {
  receiver: {
    file: '/src/agents/receiver.ts',
    from: "if (!sending.allowed) throw new ElderError('denied', sending.rule);",
    to: '',
  },
  san: {
    file: '/src/identity/spiffe.ts',
    from: 'uri !== spiffeUri(tree, name)',
    to: '!uri.endsWith(name)',
  },
};
