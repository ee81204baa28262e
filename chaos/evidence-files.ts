/** Names the journal of what one producer process was told has landed. */
export const ackFile = (name: string, maker: number) => `acknowledged.${name}.${maker}.jsonl`;

/** Names the list of what one consumer process has done, written after each commit. */
export const effectFile = (name: string, maker: number) => `effects.${name}.${maker}.jsonl`;
