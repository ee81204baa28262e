import { z } from 'zod';
import { strategy, tasks } from './config/directives.ts';
import { redis } from './config/redis.ts';
import { rag, search } from './config/retrieval.ts';
import { sandboxLimits } from './config/sandbox-limits.ts';
import { scaling } from './config/scaling.ts';
import { defaultServantKinds, servantKind } from './config/servant-kinds.ts';
import { supervision } from './config/supervision.ts';
import { duration } from './config/values.ts';
import { label } from './directive.ts';
import { maxServants } from './roster.ts';
import { firstInGroup, generalPool } from './servant-pools.ts';

/** The file in the user's project that configures its tree. */
export const configFileName = 'elders.yaml';

/** Schema of `elders.yaml`; every default of the project stands here and in `config/`, and nowhere else. */
export const configSchema = z
  .strictObject({
    portBase: z
      .int()
      .min(1024)
      .max(63_000)
      .default(5000)
      .describe('The grand elder’s port; all other ports are counted from it.'),
    host: z.string().default('127.0.0.1').describe('Address that every port listens on.'),
    servants: z
      .int()
      .min(1)
      .max(maxServants)
      .default(2)
      .describe('How many servants execute tasks, until `elders scale` or `scaling.auto` change that.'),
    scaling,
    spares: z
      .int()
      .min(0)
      .max(4)
      .default(1)
      .describe(
        'Warm processes kept for each kind of isolation, so that an elder that dies is replaced in milliseconds; 0 saves their memory.',
      ),
    servantKinds: z
      .record(label, servantKind)
      .default(defaultServantKinds)
      .describe(
        'Kinds of servants. A task whose `labels` name a kind, or a label of it, goes to such a servant.',
      ),
    assignKinds: z
      .array(label)
      .default([])
      .describe('The kind of servant_1, servant_2, …; a servant beyond the list stands in for every kind.'),
    redis,
    allowInsecureRedis: z
      .boolean()
      .default(false)
      .describe('Run on a Redis of your own that others can reach into; every `status` says so.'),
    appendfsync: z
      .enum(['always', 'everysec'])
      .default('always')
      .describe('Durability of the managed Redis; `everysec` may lose the last second when power fails.'),
    sandbox: z
      .enum(['bubblewrap', 'none'])
      .default('bubblewrap')
      .describe('How servants wall off commands; `none` runs them with the rights of your user.'),
    isolation: z
      .enum(['auto', 'bubblewrap', 'none'])
      .default('auto')
      .describe(
        'What walls off the elders themselves from each other and from your files: `auto` is bubblewrap where this host can, `bubblewrap` refuses to start without it. `elders status` tells what each has.',
      ),
    elderUsers: z
      .int()
      .min(1_000)
      .max(2_000_000_000)
      .default(98_304)
      .describe(
        'Where root runs the tree: the first of 256 numbers of users that nobody else has. Each elder becomes a process of one of them.',
      ),
    sandboxNetwork: z
      .boolean()
      .default(false)
      .describe('Whether commands in the sandbox reach the network, the loopback of this host included.'),
    sandboxWritable: z
      .array(z.string())
      .default([])
      .describe('Paths besides the workspace that commands may write, such as a package cache.'),
    sandboxLimits,
    language: z
      .enum(['auto', 'en', 'ja'])
      .default('auto')
      .describe('Language of human output; `auto` follows LC_ALL, LC_MESSAGES, LANG.'),
    messages: z
      .strictObject({
        edgeLimit: z
          .int()
          .min(64)
          .default(10_000)
          .describe('Unhandled messages that an edge holds before its sender must wait.'),
        retain: z.int().min(0).default(8_192).describe('Handled messages that an edge keeps for `trace`.'),
        attempts: z
          .int()
          .min(1)
          .max(100)
          .default(5)
          .describe('Tries at a message before it is a dead letter.'),
      })
      .prefault({}),
    strategy,
    tasks,
    rag,
    search,
    supervision,
    certificates: z
      .strictObject({
        lifetime: duration('1h').describe('Validity of a process certificate; it is renewed at half of it.'),
        connectionAge: duration('15m').describe(
          'Age at which a connection (HTTPS or Redis) is replaced by one that shows the present certificate; one that is kept half as long again is cut.',
        ),
      })
      .prefault({}),
    log: z
      .strictObject({
        level: z
          .enum(['debug', 'info', 'warn', 'error'])
          .default('info')
          .describe('Least level that is written.'),
        maxBytes: z.int().min(10_000).default(10_000_000).describe('Size at which a log file is rotated.'),
        files: z
          .int()
          .min(1)
          .max(100)
          .default(5)
          .describe('Files kept per process, the current one included.'),
      })
      .prefault({}),
  })
  .refine(({ supervision }) => supervision.orphanTimeout >= 5 * supervision.probeInterval, {
    path: ['supervision', 'orphanTimeout'],
    // A manager shows itself by its probes.
    error: 'the orphan timeout must be at least five times supervision.probeInterval',
  })
  .refine(({ servants, scaling: { max } }) => max === undefined || max >= servants, {
    path: ['scaling', 'max'],
    error: 'it is less than `servants`',
  })
  .refine(({ scaling: { min, max } }) => max === undefined || min <= max, {
    path: ['scaling', 'min'],
    error: 'it is above `scaling.max`',
  })
  .refine(({ scaling: { groups } }) => groups[generalPool] === undefined, {
    path: ['scaling', 'groups', generalPool],
    error: `\`${generalPool}\` are the servants of no group`,
  })
  .refine(
    ({ servants, scaling: { max, groups } }) => {
      const ofGroups = Object.values(groups).reduce((sum, group) => sum + group.max, 0);
      const general = Math.max(servants, max ?? 0);
      return ofGroups === 0 || (general < firstInGroup && ofGroups <= maxServants - firstInGroup + 1);
    },
    {
      path: ['scaling', 'groups'],
      error: `with groups there are at most ${firstInGroup - 1} servants of none and ${maxServants - firstInGroup + 1} of all groups`,
    },
  )
  .refine(({ assignKinds, servantKinds }) => assignKinds.every((kind) => servantKinds[kind] !== undefined), {
    path: ['assignKinds'],
    error: 'every kind must stand in servantKinds',
  })
  .refine(({ tasks, supervision }) => supervision.livenessDeadline + tasks.killGrace < tasks.lease, {
    // Otherwise a task could be given away while a servant that hangs still runs its command.
    path: ['tasks', 'lease'],
    error: 'the lease must be longer than supervision.livenessDeadline and tasks.killGrace together',
  });

/** The complete configuration: defaults filled in, durations in ms. */
export type Config = z.output<typeof configSchema>;

/** What one attempt may use; sizes are bytes, times ms. */
export type CommandLimits = Config['sandboxLimits'];

/** The configuration of a tree with no file, no flags and no environment. */
export const defaultConfig: Config = configSchema.parse({});
