/**
 * Names on the wire of the token table, and what each holds. They are short because DynamoDB bills names with values on
 * every item: the one mapping between these and the words of the protocol; never reuse a letter for another meaning.
 *
 * @see docs/decisions/0002-item-format.md
 */
export const attributes = {
  /** `provider/account`, or `#key` for data keys */
  partition: 'pk',
  /** `set#…` for a token set, `#` for an account, the day for a data key */
  sort: 'sk',
  /** version of the item's format */
  schema: 'v',
  /** when DynamoDB may delete the item, seconds since the epoch */
  ttl: 'ttl',

  generation: 'g',
  sealed: 's',
  obtainedAt: 'oa',
  expiresAt: 'ea',
  refreshExpiresAt: 'ra',
  secretVersion: 'sv',
  life: 'l',
  refreshRefused: 'rr',
  leaseBy: 'lb',
  leaseUntil: 'lu',
  doubtSince: 'ds',
  doubtCount: 'dc',
  committedBy: 'cb',
  /** map: `c` code, `t` time, `n` not before, `p` provider's error code, `s` version and `m` member of the secret, `r` rule */
  failure: 'f',
  warmUntil: 'wu',
  dueShard: 'd',
  dueAt: 'da',
  /** tag of the origin; projected into the due index, so that the dispatcher can tell origins apart without opening anything */
  dueGroup: 'og',

  revision: 'r',
  identity: 'id',
  proven: 'p',
  refused: 'rf',
  /** map: attempt id → time sent */
  unanswered: 'un',
  nextLoginAt: 'nl',
  notBefore: 'nb',
  outages: 'o',
  clientRefused: 'cr',
  keep: 'k',
  /** the provider's id, on account items only: partition of the listing index */
  listing: 'li',

  wrapped: 'w',
} as const;

/** The table's two sparse indexes. */
export const indexes = { due: 'due', listing: 'listing' } as const;

/**
 * All that `vend-token` may name in its one write, for the condition `dynamodb:Attributes`: the keys, the warm time, the due
 * keys, and the expiry that the write's condition compares.
 */
export const warmAttributes: readonly string[] = [
  attributes.partition,
  attributes.sort,
  attributes.warmUntil,
  attributes.dueShard,
  attributes.dueAt,
  attributes.dueGroup,
  attributes.expiresAt,
];

/** Sort keys and partitions that are no token set's. */
export const accountSort = '#';
export const tokenSetSortPrefix = 'set#';
export const dataKeyPartition = '#key';
