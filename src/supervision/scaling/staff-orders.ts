import type { PayloadInput } from '../../protocol/actions.ts';
import type { StaffView } from './read-staff.ts';
import type { ServantRoll } from './servant-roll.ts';
import { StandingOrder } from './standing-order.ts';

export interface StaffOrdersOptions {
  readonly roll: ServantRoll;
  /** Tells the grand elder which servants there are. */
  readonly tellServants: (order: PayloadInput<'supervision.servants'>) => void;
  /** Tells the task sage which servants are given tasks. */
  readonly nameServants: (order: PayloadInput<'sage.task.servants'>) => void;
}

/** What the grand elder and the task sage are told about the servants, until each says that it is so. */
export class StaffOrders {
  readonly #options: StaffOrdersOptions;
  readonly #toSage: StandingOrder;
  readonly #toGrand: StandingOrder;

  constructor(options: StaffOrdersOptions) {
    this.#options = options;
    const next = () => options.roll.nextRevision();
    this.#toSage = new StandingOrder(next);
    this.#toGrand = new StandingOrder(next);
  }

  /** The number of the last word to the task sage. */
  get revision(): number {
    return this.#toSage.revision;
  }

  /** Tells both what holds now, where they do not know it; unless it is the `first` word, the task sage once the grand elder knows. */
  give(view: StaffView | null, { first }: { first: boolean }): void {
    const { tellServants, nameServants } = this.#options;
    const { members, present, watch } = this.#now();
    const words = JSON.stringify(present);
    this.#toGrand.give(words, view?.told, (revision) => tellServants({ revision, names: present }));
    // A servant that is given a task must be one that an emergency reaches.
    if (!first && !this.#toGrand.isInForce(words, view?.told)) return;
    const send = (revision: number) => nameServants({ revision, members, watch });
    this.#toSage.give(JSON.stringify([members, watch]), view?.revision, send);
  }

  /** Whether the task sage gives tasks to just the servants that it is to. */
  areInForce(view: StaffView | null): boolean {
    const { members, watch } = this.#now();
    return this.#toSage.isInForce(JSON.stringify([members, watch]), view?.revision);
  }

  #now(): { members: string[]; present: string[]; watch: boolean } {
    const { roll } = this.#options;
    const { members } = roll;
    return {
      members,
      present: [...new Set([...members, ...roll.retiring])].sort(),
      watch: roll.pools.some(({ name }) => roll.isAutomatic(name)),
    };
  }
}
