import type { Config } from './config.ts';
import { isServant } from './roster.ts';

/** How one elder is kept alive, as a child specification of OTP says it. */
export interface ChildSpec {
  /** `permanent`: always started again; `transient`: unless it ended by itself and in order; `temporary`: never. */
  readonly restart: 'permanent' | 'transient' | 'temporary';
  /** Ms that it may drain before it is killed. */
  readonly shutdown: number;
  /** Within its branch a child starts when those of a lower order are ready. */
  readonly order: number;
  /** Bytes of memory beyond which its process is replaced. */
  readonly memoryLimit: number;
}

/** Gives the child specification of an elder. */
export function childSpec({ supervision }: Pick<Config, 'supervision'>, name: string): ChildSpec {
  const own = supervision.elders[isServant(name) ? 'servants' : (name as keyof typeof supervision.elders)];
  const { shutdown, memoryLimit } = supervision;
  return {
    restart: own?.restart ?? 'permanent',
    shutdown: own?.shutdown ?? shutdown,
    order: own?.order ?? 0,
    memoryLimit: own?.memoryLimit ?? memoryLimit,
  };
}
