/** `1 segment`, `2 segments`: a count and what it counts, for people. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
