/** Words as they are compared: lower case, no punctuation, apostrophes kept. */
export function words(text: string): string[] {
  return (
    text
      .toLowerCase()
      .replaceAll('’', "'")
      .match(/[\p{L}\p{N}']+/gu) ?? []
  );
}

/** Substituted, left out and added words, as a share of the words that were said. */
export function wordErrorRate(said: string, heard: string): number {
  const from = words(said);
  const to = words(heard);
  let row = to.map((_, i) => i + 1);
  from.forEach((word, i) => {
    let diagonal = i;
    let left = i + 1;
    row = to.map((other, j) => {
      const up = row[j] ?? 0;
      const best = Math.min(up + 1, left + 1, diagonal + (word === other ? 0 : 1));
      diagonal = up;
      left = best;
      return best;
    });
  });
  return (row.at(-1) ?? from.length) / from.length;
}
