import { z } from 'zod';
import { label } from '../directive.ts';
import { networkHost } from '../network-host.ts';
import { optionalDuration, optionalSize } from './values.ts';

/** Bounds of one attempt, where a kind has stricter ones than `sandboxLimits`. */
const kindLimits = z.strictObject({
  memory: optionalSize,
  processes: z.int().min(8).optional(),
  cpuTime: optionalDuration,
  fileSize: optionalSize,
  temporary: optionalSize,
  output: optionalSize,
  diskReserve: optionalSize,
  niceness: z.int().min(0).max(19).optional(),
});

/** Schema of one kind of servants. */
export const servantKind = z.strictObject({
  labels: z
    .array(label)
    .max(64)
    .default([])
    .describe('Labels besides the name of the kind, such as `gpu` or `repo:x`.'),
  workspace: z
    .enum(['writable', 'read-only'])
    .default('writable')
    .describe('Whether its commands may write their workspace, where there is a sandbox.'),
  network: z.boolean().default(true).describe('`false` keeps `sandboxNetwork` from its commands.'),
  hosts: z
    .array(networkHost)
    .optional()
    .describe('Of `strategy.hosts` those that its tasks may ask for; all of them without it.'),
  limits: kindLimits.prefault({}).describe('Stricter limits than `sandboxLimits`, by the same names.'),
});
/** A kind of servants: what it is called for, and what its commands may. */
export type ServantKindConfig = z.output<typeof servantKind>;

/** The kinds that stand without any configuration. */
export const defaultServantKinds = {
  builder: servantKind.parse({}),
  researcher: servantKind.parse({ workspace: 'read-only' }),
  guardian: servantKind.parse({}),
  responder: servantKind.parse({}),
};
