import type { Random } from '../simulation/random.ts';
import { bury } from '../src/agents/attempts.ts';
import type { Core, Handler } from '../src/agents/core.ts';
import { Deadlines } from '../src/agents/deadlines.ts';
import { Inbox } from '../src/agents/inbox.ts';
import { receive } from '../src/agents/receiver.ts';
import { StateStore } from '../src/agents/state-store.ts';
import { Step } from '../src/agents/step.ts';
import type { decodeMessage } from '../src/messaging/codec.ts';
import { type Action, actions } from '../src/protocol/actions.ts';
import { edgeActions, sourcesOf } from '../src/protocol/edges.ts';
import { edgeKey } from '../src/protocol/keys.ts';
import { lanes } from '../src/protocol/lanes.ts';
import { type ElderMessage, maxMessageBytes } from '../src/protocol/message.ts';
import { roster } from '../src/protocol/roster.ts';
import { mutatedText } from './mutate.ts';
import type { Oracle } from './oracle.ts';
import type { Target } from './targets.ts';
import { Violation } from './violation.ts';

/** The codec under test. */
export type DecodeMessage = typeof decodeMessage;

const readers = [
  'grand_elder',
  'claude_elder',
  'task_sage',
  'incident_sage',
  'servant_1',
  'gateway',
] as const;

/** What a made-up message is to be like. */
export interface Wanted {
  readonly source: string;
  readonly self: string;
  /** Any, if not given. */
  readonly actions?: readonly Action[] | undefined;
}

interface Acted {
  readonly action: Action;
  readonly source: string;
  readonly message: ElderMessage;
}

/** A core whose handlers do nothing but note that they ran. */
function witness(seen: Acted[]): Core {
  const handlers: Partial<Record<Action, Handler<Action>>> = {};
  for (const action of Object.keys(actions) as Action[]) {
    handlers[action] = (_, { message, source }) => {
      seen.push({ action, source, message });
      return {} as never;
    };
  }
  return { handlers: handlers as Core['handlers'] };
}

/**
 * What a reader does with any text that stands in one of its edges: a handler runs only for a message that
 * the schemas and the edge allow, and whatever is not handled ends as a dead letter with its reason and text.
 */
export function readerTarget(from: {
  envelope: Oracle;
  payloads: ReadonlyMap<string, Oracle>;
  validMessage: (random: Random, wanted: Wanted) => Record<string, unknown>;
}): Target {
  const elders = roster(2);
  return {
    name: 'reader',
    share: 3,
    run(random) {
      const self = random.pick(readers);
      const source = random.pick(sourcesOf(self, elders));
      const edge = edgeKey(source, random.pick(lanes));
      const allowed = random.chance(0.9) ? edgeActions(source, self) : undefined;
      const message = from.validMessage(random, { source, self, actions: allowed });
      const body = mutatedText(message, random);
      const inbox = new Inbox([edge], new Map());
      const sequence = random.pick([1, 2, Number.NaN, -1]);
      inbox.add([{ edge, id: '5-0', sequence, body }], 0);
      const [entry] = inbox.pick(1, 1);
      if (!entry) throw new Violation('an entry was swallowed', body);
      const state = new StateStore();
      let ids = 0;
      const step = new Step({
        name: self,
        incarnation: 1,
        pid: 1,
        servants: ['servant_1', 'servant_2'],
        state,
        deadlines: new Deadlines(),
        commitNumber: () => 1,
        now: () => Date.parse('2026-01-01T00:00:00Z'),
        newId: () => {
          ids += 1;
          return `fuzz-${ids}`;
        },
        log: { info: () => undefined, warn: () => undefined },
      });
      const seen: Acted[] = [];
      const outcome = receive(witness(seen), step, entry, self, true);
      if (!Number.isSafeInteger(entry.sequence)) throw new Violation('a position that cannot be kept', body);
      for (const { action, message: handled } of seen) {
        const raw = JSON.parse(body) as { payload: unknown };
        const lawful =
          from.envelope.allows(raw) &&
          from.payloads.get(action)?.allows(raw.payload) === true &&
          edgeActions(source, self).includes(action) &&
          handled.source_elder === source &&
          handled.target_elder === self;
        if (!lawful) throw new Violation(`${self} acted on what is forbidden`, body);
      }
      if (outcome.kind === 'dead') checkLetter(step, entry, outcome);
      return outcome.kind === 'acted';
    },
  };
}

function checkLetter(
  step: Step,
  entry: Parameters<typeof bury>[1],
  outcome: Extract<ReturnType<typeof receive>, { kind: 'dead' }>,
): void {
  const ctx = step.context(null);
  const id = outcome.message?.message_id ?? null;
  bury(ctx, entry, { id, tries: 1, error: outcome.error.toJSON() });
  const [row] = [...ctx.table<{ body: string; errors: { reason: string }[] }>('@dead').entries()];
  const letter = row?.[1];
  const kept = letter?.body === entry.body.slice(0, maxMessageBytes);
  const reason = letter?.errors.at(-1)?.reason ?? '';
  if (!kept || reason === '' || reason.length > 2_000) throw new Violation('a dead letter of no use', letter);
}
