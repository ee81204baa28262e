/** How the signals are weighed against each other. */
export const scoreWeights = {
  /** BM25: how soon repeats stop to count, and how much length takes away. */
  k1: 1.1,
  b: 0.6,
  /** Fields, beside the body's 1. */
  title: 1,
  path: 0.6,
  tags: 1.2,
  ancestors: 0.3,
  heading: 2.4,
  /** The words of a form standing together as asked. */
  phrase: 0.5,
  /** Everything asked for is there, rather than one thing often. */
  coverage: 0.7,
  /** It stands close together. */
  proximity: 0.25,
  /** A passage without any Japanese, for a question in Japanese where there is much of it. */
  otherLanguage: 0.7,
  /** A heading is about just that. */
  headingFit: 0.4,
  /** Words that follow each other in the question do so in the text. */
  adjacency: 0.3,
  /** What the rest of the document says, as far as the passage leaves out what is asked. */
  document: 0.4,
  /** The passages before and after. */
  neighbours: 0.08,
} as const;
