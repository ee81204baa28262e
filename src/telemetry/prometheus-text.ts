import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';
import type { Counts } from './metrics.ts';

/**
 * Gives what writes the counts as they are then, and what Node and the operating system tell, in the text format of
 * Prometheus. What the library itself counts, such as the work of the garbage collector, begins with this call.
 */
export function prometheusText(
  identity: { readonly name: string; readonly role: string },
  counts: Counts,
): () => Promise<{ type: string; text: string }> {
  const registry = new Registry();
  registry.setDefaultLabels({ elder: identity.name, role: identity.role });
  const registers = [registry];
  collectProcessMetrics(registry);
  new Counter({
    name: 'elders_messages_handled_total',
    help: 'Tries at messages, by action and by what became of them.',
    labelNames: ['action', 'outcome'],
    registers,
    collect() {
      this.reset();
      for (const [action, outcomes] of counts.handled) {
        for (const [outcome, count] of outcomes) this.inc({ action, outcome }, count);
      }
    },
  });
  new Counter({
    name: 'elders_commits_total',
    help: 'Commits, by the answer of Redis.',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      for (const [outcome, count] of counts.commits) this.inc({ outcome }, count);
    },
  });
  new Counter({
    name: 'elders_dead_letters_total',
    help: 'Messages given up, by the code of their last error.',
    labelNames: ['code'],
    registers,
    collect() {
      this.reset();
      for (const [code, count] of counts.deadLetters) this.inc({ code }, count);
    },
  });
  new Gauge({
    name: 'elders_redis_connected',
    help: '1 while the connections to Redis stand, else 0.',
    registers,
    collect() {
      this.set(counts.redisConnected ? 1 : 0);
    },
  });
  new Gauge({
    name: 'elders_ready',
    help: '1 while the process can serve, else 0.',
    registers,
    collect() {
      this.set(counts.ready ? 1 : 0);
    },
  });
  // What a registry does with a metric is ask for its name and `get`.
  for (const each of counts.histograms) registry.registerMetric(each as unknown as Metric<never>);
  return async () => ({ type: registry.contentType, text: await registry.metrics() });
}

const hourMs = 3_600_000;

function collectProcessMetrics(registry: Registry): void {
  // The library measures the lag of the event loop with a timer that wakes an idle process 100 times a second,
  // 1 % of a core for each of a dozen processes, and reports its own interval as lag. So the timer is put off
  // for ever and the share of time that the loop was busy, which costs nothing, stands in its place.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: hourMs });
  for (const { name } of registry.getMetricsAsArray()) {
    if (name.startsWith('nodejs_eventloop_lag')) registry.removeSingleMetric(name);
  }
  let last: ReturnType<typeof performance.eventLoopUtilization> | undefined;
  new Gauge({
    name: 'elders_event_loop_utilization_ratio',
    help: 'Share of the time since the last look, 0 to 1, in which the event loop was busy.',
    registers: [registry],
    collect() {
      const now = performance.eventLoopUtilization();
      this.set(performance.eventLoopUtilization(now, last).utilization);
      last = now;
    },
  });
}
