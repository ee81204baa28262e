import type { RedisTls } from '../src/messaging/redis/redis-connection.ts';
import type { RedisCredential, RedisEndpoint } from '../src/protocol/bootstrap.ts';
import type { ErrorCode } from '../src/protocol/errors.ts';
import type { ChaosLane } from './intent.ts';

/** First message to a child: everything it needs. It travels over the inherited channel, so no secret is on a command line. */
export interface ElderOrder {
  readonly kind: 'order';
  readonly tree: string;
  readonly name: string;
  readonly maker: number;
  readonly credential: RedisCredential;
  readonly endpoint: RedisEndpoint;
  readonly tls: RedisTls;
  /** Folder for the files of evidence. */
  readonly evidence: string;
  readonly servants: number;
  readonly edgeLimit: number;
  readonly retain: number;
  /** Messages per commit: least, most. */
  readonly batch: readonly [number, number];
  /** Messages per second of this producer; `null` is as fast as possible. */
  readonly rate: number | null;
}

/** What the driver tells a child: its order, to make no more messages, to end. */
export type ToElder = ElderOrder | { readonly kind: 'finish' } | { readonly kind: 'stop' };

/** What one commit of a consumer handled from one source. */
export interface HandledFrom {
  /** When the newest of its messages was made, ms since the epoch. */
  readonly madeAt: number;
  /** The newest process that made any of them. */
  readonly maker: number;
  /** Highest number per lane. */
  readonly upTo: { readonly [lane in ChaosLane]?: number };
}

/** What a child tells the driver. */
export type FromElder =
  | { readonly kind: 'started' }
  | { readonly kind: 'acknowledged'; readonly count: number }
  | {
      readonly kind: 'handled';
      readonly at: number;
      readonly from: { readonly [source: string]: HandledFrom };
    }
  | { readonly kind: 'finished'; readonly counts: { readonly [lane: string]: number } }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly reason: string };
