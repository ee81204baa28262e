// Apart from what is said on the channel: a child opens it before it has loaded anything else.

/** File descriptor on which a child finds its manager: one JSON object per line, both ways. */
export const bootstrapFd = 3;

/** Before the name of an elder: a process that can become this elder or another with the same isolation. */
export const sparePrefix = 'spare.';
