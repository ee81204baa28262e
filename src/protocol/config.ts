import { z } from 'zod';
import { risks } from './approval.ts';
import { parseByteSize } from './byte-size.ts';
import { label, maxTasks } from './directive.ts';
import { parseDuration } from './duration.ts';
import { networkHost } from './network-host.ts';
import { fixedElders, maxServants } from './roster.ts';
import { firstInGroup, generalPool } from './servant-pools.ts';

/** A duration written as `10s`, `5m`, …; becomes ms. */
const durationText = z.string().refine((text) => (parseDuration(text) ?? 0) > 0, {
  error: 'expected a duration such as 500ms, 30s, 10m, 2h',
});
const optionalDuration = durationText.transform((text) => parseDuration(text) as number).optional();

function duration(fallback: string) {
  return durationText.default(fallback).transform((text) => parseDuration(text) as number);
}

/** A number of bytes written as `300MB`, `1GB`, …; becomes bytes. */
const sizeText = z.string().refine((text) => (parseByteSize(text) ?? 0) > 0, {
  error: 'expected a size such as 300MB, 1.5GB',
});
const optionalSize = sizeText.transform((text) => parseByteSize(text) as number).optional();

function size(fallback: string) {
  return sizeText.default(fallback).transform((text) => parseByteSize(text) as number);
}

/** How one elder is kept alive, where it differs from the others. */
const childSpec = z.strictObject({
  restart: z
    .enum(['permanent', 'transient', 'temporary'])
    .optional()
    .describe(
      '`permanent`: always started again; `transient`: unless it ended by itself in order; `temporary`: never.',
    ),
  shutdown: optionalDuration.describe('As `supervision.shutdown`.'),
  memoryLimit: optionalSize.describe('As `supervision.memoryLimit`.'),
  order: z
    .int()
    .min(0)
    .optional()
    .describe('It starts when those of its branch with a lower order are ready; 0 without it.'),
});

/** The elders that have a child specification of their own; all servants share one. */
const supervised = [...fixedElders.map(({ name }) => name), 'servants'] as const;

/** How the elders below one parent are kept alive together. */
function branch(escalation: 'restart' | 'hold', whom: string) {
  return z
    .strictObject({
      strategy: z
        .enum(['one_for_one', 'rest_for_one'])
        .default('one_for_one')
        .describe(`What a crash restarts among ${whom}: only its process, or also those started after it.`),
      escalation: z
        .enum(['restart', 'hold'])
        .default(escalation)
        .describe(
          'What follows when one of them is given up: the whole branch is restarted, or the others go on without it.',
        ),
      intensity: z
        .int()
        .min(1)
        .default(1)
        .describe('Restarts of the branch within `period`; the next one goes to the branch above.'),
      period: duration('1h').describe('Window of `intensity`.'),
    })
    .prefault({});
}

const externalRedis = z.strictObject({
  url: z.url({ protocol: /^rediss$/ }).describe('`rediss://admin:password@host:port`; TLS is not optional.'),
  ca: z.string().optional().describe('File with the CA that signed the certificate of that Redis.'),
  cert: z.string().optional().describe('Client certificate file, if that Redis wants one.'),
  key: z.string().optional().describe('Key of the client certificate.'),
});

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

const kind = z.strictObject({
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
export type ServantKindConfig = z.output<typeof kind>;

/** The kinds that stand without any configuration. */
const defaultServantKinds = {
  builder: kind.parse({}),
  researcher: kind.parse({ workspace: 'read-only' }),
  guardian: kind.parse({}),
  responder: kind.parse({}),
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
    servants: z
      .int()
      .min(1)
      .max(maxServants)
      .default(2)
      .describe('How many servants execute tasks, until `elders scale` or `scaling.auto` change that.'),
    scaling: z
      .strictObject({
        auto: z
          .boolean()
          .default(false)
          .describe('Whether servants come and go with the tasks that wait, between `min` and `max`.'),
        min: z.int().min(1).max(maxServants).default(1).describe('The fewest that the automatic leaves.'),
        max: z
          .int()
          .min(1)
          .max(maxServants)
          .optional()
          .describe('The most servants that there can be, by whatever; 16, or `servants` if that is more.'),
        backlog: z
          .int()
          .min(1)
          .default(4)
          .describe('More ready tasks than this for each servant, and the automatic adds servants.'),
        wait: duration('10s').describe(
          'A ready task has waited this long, and the automatic adds a servant.',
        ),
        growCoolDown: duration('5s').describe(
          'How long after it has added servants the automatic adds no more.',
        ),
        shrinkCoolDown: duration('2m').describe(
          'How long servants must have been idle, with no task waiting, before the automatic takes them away.',
        ),
        groups: z
          .record(
            label,
            z
              .strictObject({
                min: z.int().min(0).max(maxServants).default(0),
                max: z.int().min(1).max(maxServants),
              })
              .refine(({ min, max }) => min <= max, { path: ['min'], error: '`min` is above `max`' }),
          )
          .default({})
          .describe(
            'Servants besides, by the label (or kind) of the tasks that they take: `gpu: {min: 0, max: 2}`. No other servant takes those.',
          ),
      })
      .prefault({})
      .describe('How many servants there may be, and what decides.'),
    spares: z
      .int()
      .min(0)
      .max(4)
      .default(1)
      .describe(
        'Warm processes kept for each kind of isolation, so that an elder that dies is replaced in milliseconds; 0 saves their memory.',
      ),
    servantKinds: z
      .record(label, kind)
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
    sandboxLimits: z
      .strictObject({
        memory: size('4GB').describe('Memory of all processes of a command together.'),
        processes: z.int().min(8).default(1_024).describe('Processes and threads of a command.'),
        cpuTime: duration('8h').describe('CPU time of all processes of a command together.'),
        fileSize: size('10GB').describe('The largest file that a command may write.'),
        temporary: size('1GB').describe('What each temporary folder of a command holds, in memory.'),
        output: size('64MB').describe('What is kept of the output of a command; its end always is.'),
        diskReserve: size('250MB').describe(
          'A command is ended when less is left on the disk of its workspace.',
        ),
        niceness: z
          .int()
          .min(0)
          .max(19)
          .default(10)
          .describe(
            'How far a command stands back for the elders where the processor is short; 0: not at all.',
          ),
      })
      .prefault({})
      .describe('What one attempt at a task may use, besides its time.'),
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
        maxRisk: z
          .enum(risks)
          .default('medium')
          .describe('Highest risk of a directive that is carried out without the approval of a human.'),
        manyTasks: z
          .int()
          .min(1)
          .default(500)
          .describe('A directive with more tasks than this has a risk of `medium` at least.'),
        hosts: z
          .array(networkHost)
          .default([])
          .describe(
            'Hosts that tasks may ask for with `hosts`, as `registry.npmjs.org` or `*.example.com`; without a port 80 and 443.',
          ),
        approvalExpiry: duration('24h').describe(
          'How long a directive waits for `elders approve` before it is rejected.',
        ),
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
        killGrace: duration('1500ms').describe('Time between SIGTERM and SIGKILL for a command.'),
      })
      .prefault({}),
    rag: z
      .strictObject({
        maxFileSize: size('4MB').describe('Larger files are not indexed.'),
        embeddings: z
          .strictObject({
            url: z
              .url({ protocol: /^https?$/ })
              .describe(
                'Such as `http://127.0.0.1:11434` for Ollama, `https://host/v1` for OpenAI-compatible servers.',
              ),
            model: z.string().min(1).describe('Name of the model, as that server knows it.'),
            protocol: z
              .enum(['openai', 'ollama'])
              .default('openai')
              .describe('How that server is spoken to.'),
            apiKeyFile: z
              .string()
              .optional()
              .describe('File in the project that holds the key of the server.'),
            timeout: duration('10s').describe('How long the server may take for an answer.'),
          })
          .optional()
          .describe('A server that turns texts into vectors; without it search is by words alone.'),
      })
      .prefault({})
      .describe('What the RAG sage indexes, and how.'),
    search: z
      .strictObject({
        dictionary: z
          .string()
          .min(1)
          .optional()
          .describe('File in the project with words that mean the same here; see docs/guides/search.md.'),
      })
      .prefault({})
      .describe('How the knowledge sage and the RAG sage search.'),
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
        memoryLimit: sizeText
          .default('1GB')
          .transform((text) => parseByteSize(text) as number)
          .describe('Memory of a process beyond which it is drained and replaced; this counts as a crash.'),
        orphanTimeout: duration('30m').describe(
          'Elders that no manager has looked at for this long drain and end by themselves.',
        ),
        redisDeadline: duration('30s').describe(
          'A managed Redis that has not answered for this long is killed and started again; its file brings everything back.',
        ),
        elders: z
          .partialRecord(z.enum(supervised), childSpec)
          .default({})
          .describe(
            'By name of an elder, or `servants` for all of them: `restart`, `shutdown`, `memoryLimit`, `order` of its own.',
          ),
        branches: z
          .strictObject({
            root: branch('restart', 'the grand elder and all below it'),
            grand_elder: branch('restart', 'the claude elder, the council and all below them'),
            claude_elder: branch('restart', 'the sages'),
            servants: branch('hold', 'the servants'),
          })
          .prefault({}),
      })
      .prefault({}),
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
