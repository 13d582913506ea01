type WriteRequests = Readonly<Record<string, readonly unknown[]>>;

export interface SplitBatch {
  /** Body of the request with what is done. */
  readonly taken: string;
  /** Writes by table, as `UnprocessedItems` gives them. */
  readonly left: WriteRequests;
  readonly leftCount: number;
}

/**
 * Parts a `BatchWriteItem` into what is done and what comes back unprocessed. At least one write is done: DynamoDB
 * refuses a batch of which it could do nothing.
 */
export function splitBatch(body: string, isLeft: () => boolean): SplitBatch {
  const batch = JSON.parse(body) as { readonly RequestItems: WriteRequests };
  const taken: Record<string, unknown[]> = {};
  const left: Record<string, unknown[]> = {};
  let leftCount = 0;
  let takesOne = true;
  for (const [table, writes] of Object.entries(batch.RequestItems)) {
    for (const write of writes) {
      const staysBehind = isLeft() && !takesOne;
      takesOne = false;
      if (staysBehind) leftCount += 1;
      const pile = staysBehind ? left : taken;
      (pile[table] ??= []).push(write);
    }
  }
  return { taken: JSON.stringify({ ...batch, RequestItems: taken }), left, leftCount };
}
