/** DynamoDB's limit for one item, names and values together. */
export const ITEM_LIMIT_BYTES = 400 * 1024;

const NUMBER_BYTES = 21;
const CONTAINER_BYTES = 3;

/**
 * Size of a value as DynamoDB counts it for its item limit, rounded up: a number counts as the largest one.
 * Undefined counts nothing, because it is not written.
 */
export function itemSizeBytes(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number' || typeof value === 'bigint') return NUMBER_BYTES;
  if (typeof value !== 'object' || value === null) return value === undefined ? 0 : 1;
  let bytes = CONTAINER_BYTES;
  for (const [name, part] of Object.entries(value)) {
    bytes += (Array.isArray(value) ? 1 : Buffer.byteLength(name) + 1) + itemSizeBytes(part);
  }
  return bytes;
}
