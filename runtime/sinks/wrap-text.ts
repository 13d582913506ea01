const CUT = '\u2026 ';

/**
 * Lines of at most `columns` characters, broken between words; a word that is longer than a line is broken where the
 * line ends.
 */
export function wrapText(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let rest = text.trim();
  while (rest.length > columns) {
    const space = rest.lastIndexOf(' ', columns);
    const end = space > 0 ? space : columns;
    lines.push(rest.slice(0, end).trimEnd());
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

/** The text, or as much of its end as fits into `columns` characters after a mark, from a word on where that costs little. */
export function endOfText(text: string, columns: number): string {
  if (text.length <= columns) return text;
  const room = columns - CUT.length;
  if (room <= 0) return '';
  const end = text.slice(-room);
  if (text.at(-room - 1) === ' ') return CUT + end.trimStart();
  const space = end.indexOf(' ');
  return CUT + (space >= 0 && space < room / 2 ? end.slice(space + 1) : end);
}
