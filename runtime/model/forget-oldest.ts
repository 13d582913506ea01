/**
 * Keeps a collection within its bound after something was added to it.
 *
 * @param entries in the order in which they were added, as maps and sets are
 * @param most more than so many, and the one added first is deleted
 */
export function forgetOldest<K>(entries: Map<K, unknown> | Set<K>, most: number): void {
  if (entries.size <= most) return;
  for (const oldest of entries.keys()) {
    entries.delete(oldest);
    return;
  }
}
