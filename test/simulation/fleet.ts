import type { AccountRef } from '../../functions/core/token-set.ts';
import { classes, providerIds, type ProviderId, type SetClass } from './day.ts';

/** All sets of a simulation by number: each is the one set of an account of its own. */
export class Fleet {
  readonly size: number;

  constructor(size: number) {
    this.size = size;
  }

  classOf(index: number): SetClass {
    const place = (Math.floor(index / providerIds.length) % 10) / 10;
    let upTo = 0;
    for (const each of classes) {
      upTo += each.share;
      if (place < upTo - 0.001) return each;
    }
    throw new Error('the shares of the classes are not a whole');
  }

  providerOf(index: number): ProviderId {
    return providerIds[index % providerIds.length] ?? 'steady';
  }

  /** The account's name says number and life, so that the provider needs no list. */
  refOf(index: number): AccountRef {
    return { provider: this.providerOf(index), account: `u${index}-${this.classOf(index).lifeMs / 1_000}` };
  }

  /** @param account a name that {@link refOf} made */
  indexOf(account: string): number {
    return Number.parseInt(account.slice(1), 10);
  }
}
