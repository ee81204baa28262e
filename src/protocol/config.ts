import { z } from 'zod';
import { label, maxTasks } from './directive.ts';
import { parseDuration } from './duration.ts';
import { maxServants } from './roster.ts';

/** A duration written as `10s`, `5m`, …; becomes ms. */
function duration(fallback: string) {
  return z
    .string()
    .refine((text) => (parseDuration(text) ?? 0) > 0, {
      error: 'expected a duration such as 500ms, 30s, 10m, 2h',
    })
    .default(fallback)
    .transform((text) => parseDuration(text) as number);
}

const externalRedis = z.strictObject({
  url: z.url({ protocol: /^rediss$/ }).describe('`rediss://admin:password@host:port`; TLS is not optional.'),
  ca: z.string().optional().describe('File with the CA that signed the certificate of that Redis.'),
  cert: z.string().optional().describe('Client certificate file, if that Redis wants one.'),
  key: z.string().optional().describe('Key of the client certificate.'),
});

/** The kinds that stand without any configuration. */
const defaultServantKinds = {
  builder: { labels: [] },
  researcher: { labels: [] },
  guardian: { labels: [] },
  responder: { labels: [] },
};

/** The file in the user's project that configures its tree. */
export const configFileName = 'elders.yaml';

/** Schema of `elders.yaml`; every default of the project stands here and nowhere else. */
export const configSchema = z
  .strictObject({
    portBase: z
      .int()
      .min(1024)
      .max(63_000)
      .default(5000)
      .describe('The grand elder’s port; all other ports are counted from it.'),
    host: z.string().default('127.0.0.1').describe('Address that every port listens on.'),
    servants: z.int().min(1).max(maxServants).default(2).describe('How many servants execute tasks.'),
    servantKinds: z
      .record(
        label,
        z.strictObject({
          labels: z
            .array(label)
            .max(64)
            .default([])
            .describe('Labels besides the name of the kind, such as `gpu` or `repo:x`.'),
        }),
      )
      .default(defaultServantKinds)
      .describe(
        'Kinds of servants. A task whose `labels` name a kind, or a label of it, goes to such a servant.',
      ),
    assignKinds: z
      .array(label)
      .default([])
      .describe('The kind of servant_1, servant_2, …; a servant beyond the list stands in for every kind.'),
    redis: z
      .union([z.url({ protocol: /^rediss$/ }), externalRedis])
      .optional()
      .describe('A Redis of your own; without it the manager runs one.'),
    appendfsync: z
      .enum(['always', 'everysec'])
      .default('always')
      .describe('Durability of the managed Redis; `everysec` may lose the last second when power fails.'),
    sandbox: z
      .enum(['bubblewrap', 'none'])
      .default('bubblewrap')
      .describe('How servants wall off commands; `none` runs them with the rights of your user.'),
    sandboxNetwork: z
      .boolean()
      .default(false)
      .describe('Whether commands in the sandbox reach the network, the loopback of this host included.'),
    sandboxWritable: z
      .array(z.string())
      .default([])
      .describe('Paths besides the workspace that commands may write, such as a package cache.'),
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
    strategy: z
      .strictObject({
        maxTasks: z
          .int()
          .min(1)
          .max(maxTasks)
          .default(maxTasks)
          .describe('Most tasks that the grand elder accepts in one directive.'),
        maxActiveDirectives: z
          .int()
          .min(1)
          .default(50)
          .describe('Most directives under way at a time; more are rejected.'),
      })
      .prefault({})
      .describe('What the grand elder measures a directive by.'),
    tasks: z
      .strictObject({
        lease: duration('2m').describe('How long a servant may hold a task without renewing its lease.'),
        lostAttempts: z
          .int()
          .min(1)
          .default(10)
          .describe('How often a task may lose its servant before it fails.'),
        retryDelay: duration('1s').describe(
          'Wait before the first retry of a failed task; doubles with each, up to a minute.',
        ),
        keepDirectives: z
          .int()
          .min(0)
          .default(200)
          .describe('Ended directives whose tasks the task sage keeps; of older ones only the sums stay.'),
        keepTasks: z
          .int()
          .min(0)
          .default(200_000)
          .describe('Tasks of ended directives that it keeps in all.'),
        killGrace: duration('2s').describe('Time between SIGTERM and SIGKILL for a command.'),
      })
      .prefault({}),
    supervision: z
      .strictObject({
        intensity: z
          .int()
          .min(1)
          .default(10)
          .describe('Crashes of one process within `period` before it is given up as failed.'),
        period: duration('1m').describe('Window of `intensity`.'),
        backoffFirst: duration('50ms').describe(
          'Wait before the second restart in a row; the first is immediate. Doubles each time.',
        ),
        backoffMax: duration('15s').describe('Longest wait before a restart.'),
        stableAfter: duration('20s').describe('Uptime after which the backoff starts anew.'),
        startTimeout: duration('30s').describe('How long a process may take to become ready.'),
        shutdown: duration('10s').describe('How long a process may take to drain before it is killed.'),
        probeInterval: duration('2s').describe('Time between two health probes of a process.'),
        livenessDeadline: duration('15s').describe(
          'A process whose event loop has not answered for this long is killed and replaced.',
        ),
        redisDeadline: duration('30s').describe(
          'A managed Redis that has not answered for this long is killed and started again; its file brings everything back.',
        ),
      })
      .prefault({}),
    certificates: z
      .strictObject({
        lifetime: duration('1h').describe('Validity of a process certificate; it is renewed at half of it.'),
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

/** The configuration of a tree with no file, no flags and no environment. */
export const defaultConfig: Config = configSchema.parse({});
