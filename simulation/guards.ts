import type { Core } from '../src/agents/core.ts';
import { loadAllCores } from '../src/elders/assemble.ts';
import { gatewayCore } from '../src/gateway/gateway-core.ts';
import type { Broker } from '../src/messaging/broker.ts';
import type { Guards } from '../src/messaging/memory/memory-store.ts';
import type { Config } from '../src/protocol/config.ts';
import {
  forgetLetters,
  forgetTogether,
  ignoreLoss,
  savePositionsEarly,
  skipVoiding,
} from './broker-guards.ts';
import type { Climate } from './faults.ts';
import { hastyTaskSage } from './hasty-task-sage.ts';
import { impatientTaskSage } from './impatient-task-sage.ts';

/** What keeps the tree honest and can be switched off here, to see that the checker notices. */
export const guardNames = [
  'atomic_commit',
  'commit_number',
  'incarnation',
  'position_in_commit',
  'sync_before_ack',
  'loss_detection',
  'watch',
  'voiding',
  'back_pressure',
  'idempotency_key',
  'dead_letters',
  'isolation',
  'audit_once',
  'reaping',
  'lease_wait',
  'recall_wait',
] as const;
export type GuardName = (typeof guardNames)[number];

/** What has to be more frequent than usual for a guard to be missed soon. */
export const provoking: Readonly<Partial<Record<GuardName, Partial<Climate>>>> = {
  sync_before_ack: { powerMeanMs: 2_000 },
  loss_detection: { appendfsync: 'everysec', powerMeanMs: 1_500 },
  watch: { appendfsync: 'everysec', powerMeanMs: Infinity, flushMeanMs: 8_000 },
  voiding: { edgeLimit: 3, lateCommit: 0.6, delayMs: 0.5, stallMeanMs: 200, crashMeanMs: 400 },
  back_pressure: { edgeLimit: 2, stallMeanMs: 500 },
  isolation: { poisonAfter: 12 },
  audit_once: { trespass: 0.3, auditorMeanMs: 60 },
};

/** The guards of the store without the one that is switched off. */
export function storeGuards(off: GuardName | null): Partial<Guards> {
  switch (off) {
    case 'atomic_commit':
      return { atomicCommit: false };
    case 'commit_number':
      return { commitNumber: false };
    case 'incarnation':
      return { incarnation: false };
    case 'back_pressure':
      return { room: false };
    default:
      return {};
  }
}

/** The broker of a principal, made slow, without the guard that is switched off. */
export function brokerWithout(
  off: GuardName | null,
  broker: {
    store: Parameters<typeof savePositionsEarly>[0];
    name: string;
    inner: Broker;
    slow: (broker: Broker) => Broker;
  },
): Broker {
  const { store, name, inner, slow } = broker;
  switch (off) {
    case 'position_in_commit':
      return slow(savePositionsEarly(store, name, inner));
    case 'loss_detection':
      return ignoreLoss(slow(inner));
    case 'voiding':
      return skipVoiding(slow(inner));
    case 'isolation':
      return forgetTogether(slow(inner));
    case 'dead_letters':
      return forgetLetters(slow(inner));
    default:
      return slow(inner);
  }
}

const coreOf = await loadAllCores();

/** The core of a principal, without the guard that is switched off. */
export function coreWithout(off: GuardName | null, principal: string, config: Config): Core {
  if (principal === 'gateway') return off === 'idempotency_key' ? keylessGateway() : gatewayCore();
  if (principal === 'task_sage' && off === 'lease_wait') return hastyTaskSage(config);
  if (principal === 'task_sage' && off === 'recall_wait') return impatientTaskSage(config);
  return coreOf(principal, config);
}

/** A gateway that takes each request for a new one; the answer finds its way all the same. */
function keylessGateway(): Core {
  const core = gatewayCore();
  return {
    ...core,
    onInput: (ctx, input) =>
      core.onInput?.(
        ctx,
        input.kind === 'ask' ? { ...input, idempotencyKey: `${input.idempotencyKey}~${ctx.newId()}` } : input,
      ),
    continuations: {
      answered: (ctx, answer, data) => {
        const [key = ''] = String(data).split('~');
        core.continuations?.answered?.(
          {
            ...ctx,
            effect: (effect) => ctx.effect(effect.kind === 'answered' ? { ...effect, key } : effect),
          },
          answer,
          data,
        );
      },
    },
  };
}
