/** Who is measured. */
export const SUBJECTS = ['relay', 'ws-pipe', 'net-pipe', 'haproxy'] as const;
export type Subject = (typeof SUBJECTS)[number];

/** One setting of the bench. */
export interface Cell {
  readonly calls: number;
  readonly tracks: 1 | 2;
  readonly chunkMs: number;
  /** To the speech side. */
  readonly tls: boolean;
}

export const BASE_CELL: Cell = { calls: 200, tracks: 1, chunkMs: 20, tls: false };

export function nameOf({ calls, tracks, chunkMs, tls }: Cell): string {
  return `${calls} calls, ${tracks === 1 ? 'one track' : 'two tracks'}, ${chunkMs} ms${tls ? ', TLS' : ''}`;
}
