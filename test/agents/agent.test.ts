import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';
import type { Core } from '../../src/agents/core.ts';
import type { Fault } from '../../src/messaging/memory/memory-broker.ts';
import type { DeadLetter } from '../../src/protocol/local-api.ts';
import type { ElderMessage } from '../../src/protocol/message.ts';
import { hasCode } from '../messaging/conformance.ts';
import { type Life, MemoryTree } from '../support/memory-tree.ts';

const self = 'knowledge_sage';
const elder = 'claude_elder';

let tree: MemoryTree;
beforeEach(() => {
  tree = new MemoryTree();
});

function store(key: string, changes: Partial<ElderMessage> = {}): ElderMessage {
  const draft = { key, title: 'a title', body: '', tags: [], directiveId: null };
  return tree.message(elder, self, 'sage.knowledge.store', draft, changes);
}

const dead = () => tree.rows<DeadLetter>(self, '@dead');

suite('a message that kills its reader', () => {
  /** Starts a new incarnation after each death, until one survives; gives how many died. */
  async function surviveAll(handled: string[]): Promise<number> {
    for (let deaths = 0; ; deaths += 1) {
      let died = false;
      let life: Life | undefined;
      const core: Core = {
        handlers: {
          'sage.knowledge.store': (_, { payload }) => {
            if (payload.key !== 'poison') return void handled.push(payload.key);
            died = true;
            life?.kill();
            throw new Error('nobody hears this');
          },
        },
      };
      // Nothing reaches the core before it can be killed.
      const held: (() => void)[] = [];
      const schedule = (_: string, run: (fault?: Fault) => void) =>
        life ? queueMicrotask(() => run()) : void held.push(() => run());
      life = await tree.start(self, core, { schedule });
      for (const go of held) go();
      await tree.clock.advance(10_000);
      if (!died) return deaths;
    }
  }

  test('is given up after its tries, and what stood beside and behind it goes on', async () => {
    const handled: string[] = [];
    await tree.send(store('before'), store('poison', { requires_ack: true }), store('after'));
    await tree.send(store('beside', { priority: 9 }));
    // The first death is not counted: nobody was on the watch yet.
    assert.equal(await surviveAll(handled), 4);
    assert.deepEqual([...new Set(handled)].sort(), ['after', 'before', 'beside']);
    const [letter] = dead();
    assert.equal(letter?.tries, 3);
    assert.equal(letter?.errors.length, 4);
    assert.equal(tree.handled(self, elder), 3);
    assert.equal(tree.journal(self).filter(({ x }) => x).length, 1);
    assert.equal(tree.sentAs(self, elder, 'reply.acknowledge')[0]?.payload.status, 'dead');
  });

  test('is given up in the low lane too, behind a flood of urgent ones', async () => {
    const flood = JSON.stringify(store('urgent', { priority: 10 }));
    await tree.send(...['a', 'poison', 'b'].map((key) => store(key, { priority: 1 })));
    let deaths = 0;
    for (let survived = false; !survived && deaths < 10; ) {
      let life: Life | undefined;
      let coming = 1_000;
      survived = true;
      const core: Core = {
        handlers: {
          'sage.knowledge.store': (_, { payload }) => {
            if (payload.key === 'poison') {
              survived = false;
              deaths += 1;
              life?.kill();
              throw new Error('nobody hears this');
            }
            // As much comes as goes, for longer than anybody is on the watch.
            if (payload.key !== 'urgent' || coming-- <= 0) return;
            tree.sendRaw(elder, self, flood, 'high');
          },
        },
      };
      for (let count = 0; count < 100; count += 1) tree.sendRaw(elder, self, flood, 'high');
      const held: (() => void)[] = [];
      const schedule = (_: string, run: (fault?: Fault) => void) =>
        life ? queueMicrotask(() => run()) : void held.push(() => run());
      life = await tree.start(self, core, { schedule });
      for (const go of held) go();
      await tree.clock.advance(10_000);
    }
    // The first death is not counted, as above.
    assert.equal(deaths, 4);
    assert.deepEqual(
      dead().map(({ tries }) => tries),
      [3],
    );
  });

  test('innocent messages of the same time are not blamed, and a failure is counted once', async () => {
    let fail = true;
    const core: Core = {
      handlers: {
        'sage.knowledge.store': () => {
          if (fail) throw new Error('later');
        },
      },
    };
    const first = await tree.start(self, core);
    first.kill();
    await tree.send(store('a'), store('b', { priority: 9 }));
    const second = await tree.start(self, core);
    const [attempt] = tree.rows<{ tries: number; errors: { reason: string }[] }>(self, '@attempts');
    assert.deepEqual([attempt?.tries, attempt?.errors.map(({ reason }) => reason)], [1, ['later']]);
    fail = false;
    await tree.clock.advance(1_000);
    assert.equal(
      tree.journal(self).every(({ t, x }) => t === 2 && !x),
      true,
    );
    assert.deepEqual(dead(), []);
    second.agent.stop();
    await second.ended;
  });

  test('nobody is on the watch after an end in good order', async () => {
    const life = await tree.start(self, { handlers: {} });
    life.agent.stop();
    await life.ended;
    await tree.send(store('a'), store('b'));
    await tree.start(self, { handlers: { 'sage.knowledge.store': () => {} } });
    // The start and one batch.
    assert.equal(tree.store.snapshot(self).commitNumber, 4);
  });
});

suite('a process', () => {
  test('whose commit lost its answer does nothing twice', async () => {
    let lost = 0;
    const schedule = (operation: string, run: (fault?: Fault) => void) =>
      queueMicrotask(() => {
        if (operation !== 'commit' || lost === 3) return run();
        lost += 1;
        run('lost_answer');
      });
    const core: Core = {
      handlers: {
        'sage.knowledge.search': (ctx) => {
          ctx.effect({ kind: 'x' });
          return { entries: [] };
        },
      },
    };
    const effects: string[] = [];
    await tree.start(self, core, { schedule, perform: ({ kind }) => void effects.push(kind) });
    await tree.send(tree.message(elder, self, 'sage.knowledge.search', { query: 'x' }));
    await tree.clock.advance(3_000);
    assert.equal(tree.sent(self, elder).length, 1);
    assert.deepEqual(effects, ['x']);
  });

  test('that is fenced ends, and does not perform what it did not commit', async () => {
    const effects: string[] = [];
    const core: Core = { handlers: { 'sage.knowledge.store': (ctx) => ctx.effect({ kind: 'x' }) } };
    const life = await tree.start(self, core, { perform: ({ kind }) => void effects.push(kind) });
    tree.store.setIncarnation(self, 2);
    await tree.send(store('a'));
    await assert.rejects(life.ended, hasCode('fenced'));
    assert.deepEqual(effects, []);
  });

  test('rejects an input whose handler throws, undone, and goes on', async () => {
    const core: Core = {
      handlers: {},
      onInput: (ctx, { kind }) => {
        ctx.table('t').put(kind, 1);
        if (kind === 'bad') throw new Error('no');
        return kind;
      },
    };
    const { agent } = await tree.start(self, core);
    await assert.rejects(agent.input({ kind: 'bad' }), /no/);
    assert.equal(await agent.input({ kind: 'good' }), 'good');
    assert.deepEqual(tree.store.snapshot(self).fields.has('t/bad'), false);
    agent.stop();
    await assert.rejects(agent.input({ kind: 'late' }), hasCode('not_running'));
  });

  test('waits while the edge to its target is full, and goes on when there is room', async () => {
    tree = new MemoryTree(2);
    const blocked: (string | undefined)[] = [];
    const core: Core = { handlers: { 'sage.knowledge.search': () => ({ entries: [] }) } };
    const observer = {
      onBlocked: (_: string, error: { code: string } | null) => void blocked.push(error?.code),
    };
    await tree.start(self, core, { observer });
    for (const query of ['a', 'b', 'c']) {
      await tree.send(tree.message(elder, self, 'sage.knowledge.search', { query }));
    }
    assert.equal(tree.sent(self, elder).length, 2);
    assert.deepEqual(blocked, ['edge_full']);
    await tree.start(elder, { handlers: {} });
    await tree.clock.advance(2_000);
    assert.equal(tree.sent(self, elder).length, 3);
    assert.deepEqual(blocked, ['edge_full', undefined]);
  });

  test('answers a ping with who it is', async () => {
    await tree.start(self, { handlers: {} });
    await tree.send(tree.message('gateway', self, 'elder.ping', {}));
    const result = tree.sent(self, 'gateway')[0]?.payload.result;
    assert.deepEqual(result, { name: self, incarnation: 1, commitNumber: 1, pid: 1 });
  });
});

suite('draining', () => {
  function working(inputs: string[], state: { busy: boolean }): Core {
    return {
      handlers: {},
      onInput: (_, { kind }) => {
        inputs.push(kind);
        if (kind === 'done') state.busy = false;
      },
      isIdle: () => !state.busy,
    };
  }

  test('an idle elder is drained once it has heard of it', async () => {
    const inputs: string[] = [];
    const { agent } = await tree.start(self, working(inputs, { busy: false }));
    await Promise.all([agent.input({ kind: 'other' }), agent.drain(1_000)]);
    assert.deepEqual(inputs, ['other', 'drain']);
  });

  test('a busy one is waited for', async () => {
    const inputs: string[] = [];
    const { agent } = await tree.start(self, working(inputs, { busy: true }));
    let drained = false;
    const draining = agent.drain(1_000).then(() => {
      drained = true;
    });
    await tree.clock.advance(500);
    assert.equal(drained, false);
    await agent.input({ kind: 'done' });
    await draining;
    assert.deepEqual(inputs, ['drain', 'done']);
  });

  test('one that does not come to an end is cut off, and left when its time is over', async () => {
    const inputs: string[] = [];
    const life = await tree.start(self, working(inputs, { busy: true }));
    const began = tree.clock.now();
    let drainedAt = 0;
    void life.agent.drain(1_000).then(() => {
      drainedAt = tree.clock.now() - began;
    });
    await tree.clock.advance(599);
    assert.deepEqual(inputs, ['drain']);
    await tree.clock.advance(1);
    assert.deepEqual(inputs, ['drain', 'cut_off']);
    await tree.clock.advance(1_000);
    assert.equal(drainedAt, 1_000);
    life.agent.stop();
    await life.ended;
  });
});
