import { watch } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { CuttingPool } from '../cut/cutting-pool.ts';
import { IndexStore, isDamage, removeIndex } from '../indexing/index-store.ts';
import type { IndexerNews, IndexerOrder, ThreadSettings } from '../indexing/messages.ts';
import { SourceIndexer } from '../indexing/source-indexer.ts';
import { Embedder } from '../meaning/embedder.ts';
import { yieldToOthers } from './thread-priority.ts';

yieldToOthers();
const settings = workerData as ThreadSettings;
const sources = new Map<string, SourceIndexer>();
const cutter = new CuttingPool(settings.maxFileBytes);
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;
/** Files in one transaction: each costs a look at all of its passages. */
const forgottenAtOnce = 100;
let store = IndexStore.open(settings.indexPath, settings.maxFileBytes);
let working = false;
let closed = false;
let failures = 0;
let wake: () => void = () => {};
const embedder =
  settings.embeddings === null
    ? undefined
    : new Embedder({
        index: () => store.index,
        settings: settings.embeddings,
        report: (vectors) => tell({ kind: 'vectors', vectors }),
      });

function tell(news: IndexerNews): void {
  parentPort?.postMessage(news);
}

/** Makes the index anew and has everything read again. */
function rebuild(why: string): void {
  try {
    store.close();
  } catch {
    // It is thrown away.
  }
  removeIndex(settings.indexPath);
  store = IndexStore.open(settings.indexPath, settings.maxFileBytes);
  tell({ kind: 'opened', rebuilt: why });
  for (const source of sources.values()) source.lookAgain(null);
}

async function workAll(): Promise<void> {
  if (working || closed) return;
  working = true;
  try {
    for (;;) {
      if (closed) return;
      if (!store.isInPlace) rebuild('removed');
      const next = [...sources.values()].find((source) => source.hasWork);
      if (next === undefined) {
        if (!idle()) return;
        // Orders must come through between two steps.
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      try {
        await next.work();
        failures = 0;
      } catch (error) {
        await failed(next, error);
      }
    }
  } finally {
    working = false;
  }
}

async function failed(source: SourceIndexer, error: unknown): Promise<void> {
  if (closed) return;
  failures += 1;
  if (isDamage(error) && failures <= 3) {
    rebuild('corrupt');
    return;
  }
  // A full disk, for one: it goes on when there is room again.
  source.fail(error instanceof Error ? error.message : String(error));
  const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** failures);
  await Promise.race([
    delay(pause, undefined, { ref: false }),
    new Promise<void>((resolve) => (wake = resolve)),
  ]);
}

/** What is done when nothing has changed; true while more of it is left. */
function idle(): boolean {
  try {
    if (store.index.mergeStep()) return true;
  } catch (error) {
    if (isDamage(error)) {
      rebuild('corrupt');
      return true;
    }
  }
  embedder?.start();
  return false;
}

function isOthers(source: string): (path: string) => boolean {
  return (path) =>
    [...sources.keys()].some(
      (other) => other.length > source.length && (path === other || path.startsWith(`${other}/`)),
    );
}

/** Takes a folder out in steps, between which orders and changes come through; left off where it is wanted again. */
async function forget(path: string): Promise<void> {
  const paths = [...store.below(path).keys()];
  for (let at = 0; at < paths.length; at += forgottenAtOnce) {
    if (closed || sources.has(path)) return;
    store.forget(paths.slice(at, at + forgottenAtOnce));
    await new Promise((resolve) => setImmediate(resolve));
  }
  // What another folder has of it is read again.
  for (const source of sources.values()) source.lookAgain(null);
  tell({ kind: 'forgotten', path });
}

function order(given: IndexerOrder): void {
  switch (given.kind) {
    case 'index': {
      const known = sources.get(given.path);
      if (known !== undefined) {
        known.lookAgain(null);
        return;
      }
      const source = new SourceIndexer({
        path: given.path,
        store: () => store,
        cutter,
        isOthers: isOthers(given.path),
        onWork: () => {
          wake();
          void workAll();
        },
        report: (report) => tell({ kind: 'report', report }),
      });
      sources.set(given.path, source);
      void workAll();
      return;
    }
    case 'forget': {
      sources.get(given.path)?.close();
      sources.delete(given.path);
      void forget(given.path);
      return;
    }
    case 'damaged':
      rebuild('corrupt');
      void workAll();
      return;
    case 'other_length':
      embedder?.startAnew(given.bytes);
      return;
    case 'close':
      closed = true;
      embedder?.close();
      for (const source of sources.values()) source.close();
      void cutter.close().then(() => {
        store.close();
        process.exit(0);
      });
  }
}

// Somebody may remove the index while it is open.
watch(dirname(settings.indexPath), () => {
  if (!store.isInPlace) void workAll();
}).unref();
tell({ kind: 'opened', rebuilt: store.index.rebuilt ?? null });
if (embedder === undefined) tell({ kind: 'vectors', vectors: null });
parentPort?.on('message', order);
