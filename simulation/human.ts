import type { Agent } from '../src/agents/agent.ts';
import type { AskAnswer } from '../src/gateway/gateway-core.ts';
import type { Clock } from '../src/messaging/clock.ts';
import type { DirectiveSpec } from '../src/protocol/directive.ts';
import { randomDirective } from './directives.ts';
import type { Random } from './random.ts';
import type { Trace } from './trace.ts';

/** What the human asked for, and what was said in return. */
export interface Submission {
  readonly id: string;
  readonly spec: DirectiveSpec;
  submitted: AskAnswer | null;
  cancelWanted: boolean;
  cancelled: AskAnswer | null;
}

/** What a key stands for. */
export interface Request {
  readonly target: string;
  readonly action: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

const askTimeoutMs = 5_000;
/** After these errors the same request may still succeed. */
const passing: ReadonlySet<string> = new Set(['timed_out', 'internal']);
const retryMs = 300;
const cancelling = 0.25;
/** That a request is sent twice at once. */
const doubling = 0.15;
/** That somebody who has an answer asks once more with the same key. */
const asking = 0.3;

/** Submits directives through the gateway, asks again until there is an answer, and cancels some of them. */
export class SimulatedHuman {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #trace: Trace;
  readonly #gateway: () => Agent | undefined;
  readonly #waiting = new Map<string, (answer: AskAnswer) => void>();
  readonly submissions: Submission[] = [];
  readonly violations: string[] = [];
  /** What was asked under each key. */
  readonly keys = new Map<string, Request>();

  constructor(options: { clock: Clock; random: Random; trace: Trace; gateway: () => Agent | undefined }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#trace = options.trace;
    this.#gateway = options.gateway;
  }

  /** Submits this many directives within a time (virtual ms). */
  begin(count: number, withinMs: number): void {
    for (let index = 1; index <= count; index += 1) {
      const id = `d${index}`;
      const spec = randomDirective(this.#random, id);
      const cancelWanted = this.#random.chance(cancelling);
      const submission: Submission = { id, spec, submitted: null, cancelWanted, cancelled: null };
      this.submissions.push(submission);
      this.#clock.setTimer(this.#random.between(0, withinMs), () => this.#submit(submission));
    }
  }

  /** Whether everything that was asked has been answered. */
  get satisfied(): boolean {
    return this.submissions.every(
      ({ submitted, cancelWanted, cancelled }) => submitted !== null && (cancelled !== null || !cancelWanted),
    );
  }

  /** Hears what the gateway answers. */
  hear(key: string, answer: AskAnswer): void {
    this.#waiting.get(key)?.(answer);
  }

  #submit(submission: Submission): void {
    const { id, spec } = submission;
    const request = {
      target: 'grand_elder',
      action: 'development.directive.submit',
      payload: { directiveId: id, directive: spec },
    };
    this.#ask(`submit-${id}`, request, (answer) => {
      submission.submitted = answer;
      if (!submission.cancelWanted) return;
      const afterMs = this.#random.exponential(this.#random.chance(0.4) ? 10 : 1_500);
      this.#clock.setTimer(afterMs, () => this.#cancel(submission));
    });
  }

  #cancel(submission: Submission): void {
    const payload = { directiveId: submission.id, reason: 'changed my mind' };
    const request = { target: 'grand_elder', action: 'development.directive.cancel', payload };
    this.#ask(`cancel-${submission.id}`, request, (answer) => {
      submission.cancelled = answer;
    });
  }

  /** Asks under one key until an answer comes that is not about time. */
  #ask(key: string, request: Request, done: (answer: AskAnswer) => void): void {
    let round = 0;
    const again = (afterMs: number) => {
      round += 1;
      const mine = round;
      this.#clock.setTimer(afterMs, () => mine === round && attempt());
    };
    const hear = (answer: AskAnswer) => {
      if (!this.#waiting.has(key)) return;
      if ('error' in answer && passing.has(answer.error.code)) return again(retryMs);
      this.#trace.note(`${key} is answered: ${'error' in answer ? answer.error.code : 'yes'}`);
      this.#waiting.delete(key);
      round += 1;
      done(answer);
      if ('result' in answer && this.#random.chance(asking)) this.#askAgain(key, request, answer);
    };
    const attempt = () => {
      again(askTimeoutMs + 2_000);
      const gateway = this.#gateway();
      if (!gateway) return again(retryMs);
      for (let times = this.#random.chance(doubling) ? 2 : 1; times > 0; times -= 1) {
        gateway.input(inputOf(key, request)).then(
          (accepted) => {
            const { answer } = accepted as unknown as { answer: AskAnswer | null };
            if (answer) hear(answer);
          },
          () => this.#waiting.has(key) && again(retryMs),
        );
      }
    };
    this.#waiting.set(key, hear);
    this.keys.set(key, request);
    attempt();
  }

  /** Asks under a key that has its answer: it must be the same, or none where the gateway is away. */
  #askAgain(key: string, request: Request, before: AskAnswer): void {
    this.#clock.setTimer(this.#random.between(1, 5_000), () => {
      this.#gateway()
        ?.input(inputOf(key, request))
        .then(
          (accepted) => {
            const { answer } = accepted as unknown as { answer: AskAnswer | null };
            if (JSON.stringify(answer) === JSON.stringify(before)) return;
            this.violations.push(`${key} was answered, and asked again it is not, or otherwise`);
          },
          () => {},
        );
    });
  }
}

function inputOf(key: string, request: Request) {
  return {
    kind: 'ask',
    idempotencyKey: key,
    priority: 5,
    timeoutMs: askTimeoutMs,
    ...request,
  };
}
