/** Names one item of the table. */
export interface ItemKey {
  readonly callSid: string;
  readonly itemKey: string;
}

export type Attributes = Readonly<Record<string, unknown>>;

/** A whole item. */
export type StoreItem = ItemKey & Attributes;

/** An attribute, or an entry of a map attribute, or an entry of that. */
export type AttributePath = string | readonly string[];

/** What must hold of the stored item for an update to happen. */
export type Condition =
  | { readonly exists: AttributePath }
  | { readonly absent: AttributePath }
  | { readonly attribute: AttributePath; readonly is: '<' | '<=' | '=' | '<>' | '>'; readonly value: unknown }
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] };

/** A change of some attributes of one item, which is created if it is not there and no condition forbids it. */
export interface ItemUpdate extends ItemChange {
  /** When no condition holds: `ignore` where that only says that the event came late or twice. */
  readonly whenRefused?: 'ignore' | 'failure';
}

export interface ItemChange {
  readonly key: ItemKey;
  /** Attributes to set; those that are undefined are left out. */
  readonly set?: Attributes;
  /** Attributes to set where the item has none of that name yet. */
  readonly setIfAbsent?: Attributes;
  /** One entry of a map attribute; the map must be there. */
  readonly setEntry?: { readonly path: readonly [attribute: string, entry: string]; readonly value: unknown };
  readonly remove?: readonly string[];
  readonly condition?: Condition;
  /** What to do instead when the condition does not hold. */
  readonly otherwise?: ItemChange;
}

/** One thing to write. A put replaces the whole item and is cheaper, because puts go out in batches. */
export type StoreWrite =
  | { readonly type: 'put'; readonly item: StoreItem }
  | { readonly type: 'update'; readonly update: ItemUpdate };

/** The key and nothing else: this is what may be logged of a write. */
export function keyOf(write: StoreWrite): ItemKey {
  const { callSid, itemKey } = write.type === 'put' ? write.item : write.update.key;
  return { callSid, itemKey };
}
