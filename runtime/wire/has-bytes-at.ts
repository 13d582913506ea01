/** Whether `data` has exactly these bytes from `at` on, before `end`. Asked several times for each frame: it makes nothing. */
export function hasBytesAt(data: Buffer, at: number, end: number, expected: Buffer): boolean {
  const { length } = expected;
  if (at + length > end) return false;
  for (let i = 0; i < length; i += 1) if (data[at + i] !== expected[i]) return false;
  return true;
}
