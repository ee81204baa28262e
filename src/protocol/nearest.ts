import leven from 'leven';

function plain(name: string): string {
  return name.toLowerCase().replace(/[-_. ]/g, '');
}

/** Finds the candidate that a mistyped name most likely meant; `undefined` if none is near. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(name);
  // One edit in three letters: `need` finds `needs`, while `id` does not find `env`.
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = leven(wanted, plain(candidate), { maxDistance: limit + 1 });
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { candidate, distance };
  }
  return best?.candidate;
}

/** Writes the suggestion that follows an error text: `; did you mean "x"?`, or nothing if no candidate is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const candidate = nearest(name, candidates);
  return candidate === undefined ? '' : `; did you mean "${candidate}"?`;
}
