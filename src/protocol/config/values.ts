import { z } from 'zod';
import { parseByteSize } from '../byte-size.ts';
import { parseDuration } from '../duration.ts';

/** A duration written as `10s`, `5m`, …; becomes ms. */
const durationText = z.string().refine((text) => (parseDuration(text) ?? 0) > 0, {
  error: 'expected a duration such as 500ms, 30s, 10m, 2h',
});

/** A duration that may be left out; becomes ms. */
export const optionalDuration = durationText.transform((text) => parseDuration(text) as number).optional();

/** A duration with this default; becomes ms. */
export function duration(fallback: string) {
  return durationText.default(fallback).transform((text) => parseDuration(text) as number);
}

/** A number of bytes written as `300MB`, `1GB`, …; becomes bytes. */
const sizeText = z.string().refine((text) => (parseByteSize(text) ?? 0) > 0, {
  error: 'expected a size such as 300MB, 1.5GB',
});

/** A size that may be left out; becomes bytes. */
export const optionalSize = sizeText.transform((text) => parseByteSize(text) as number).optional();

/** A size with this default; becomes bytes. */
export function size(fallback: string) {
  return sizeText.default(fallback).transform((text) => parseByteSize(text) as number);
}
