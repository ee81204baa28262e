import type { Agent } from '../src/agents/agent.ts';
import type { Clock } from '../src/messaging/clock.ts';
import { type Action, actionSpec } from '../src/protocol/actions.ts';
import type { DeadLetter } from '../src/protocol/local-api.ts';
import { elderMessage } from '../src/protocol/message.ts';
import type { StoreView } from './store-view.ts';

const lookMs = 700;
const askTimeoutMs = 5_000;

/**
 * Looks at the dead letters now and then: has those replayed that nobody was told of, and discards those whose
 * sender has had its answer, or which came too late.
 */
export class SimulatedOperator {
  readonly #clock: Clock;
  readonly #view: StoreView;
  readonly #gateway: () => Agent | undefined;
  #orders = 0;

  constructor(options: { clock: Clock; view: StoreView; gateway: () => Agent | undefined }) {
    this.#clock = options.clock;
    this.#view = options.view;
    this.#gateway = options.gateway;
  }

  begin(): void {
    this.#clock.setTimer(lookMs, () => {
      this.#look();
      this.begin();
    });
  }

  /** Whether no dead letter is left. */
  get satisfied(): boolean {
    return [...this.#view.keepers].every(
      (name) => this.#view.rows(name, '@dead').size + this.#view.rows(name, '@replays').size === 0,
    );
  }

  #look(): void {
    for (const elder of this.#view.keepers) {
      for (const [messageId, letter] of this.#view.rows<DeadLetter>(elder, '@dead')) {
        this.#order(elder, messageId, letter);
      }
    }
  }

  #order(elder: string, messageId: string, { body, errors }: DeadLetter): void {
    const { action } = elderMessage.parse(JSON.parse(body));
    const expired = errors.at(-1)?.code === 'expired';
    const answered = expired || actionSpec(action as Action).reply !== undefined;
    this.#orders += 1;
    const input = {
      kind: 'ask',
      target: 'grand_elder',
      action: `elder.dead_letter.${answered ? 'discard' : 'replay'}`,
      payload: { elder, messageId },
      idempotencyKey: `order-${this.#orders}`,
      priority: 5,
      timeoutMs: askTimeoutMs,
    };
    // It looks again anyway.
    this.#gateway()
      ?.input(input)
      .catch(() => {});
  }
}
