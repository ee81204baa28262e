/** How many entries a writer lets pass between two trims of an edge. */
export const trimInterval = 64;

/** About how many entries the journal of an elder keeps. */
export const journalLength = 20_000;
