/** Called with the milliseconds of call time since it was added: real time multiplied by its pace. */
export type PacedTick = (elapsedMs: number) => void;

interface Paced {
  readonly startedAt: number;
  readonly paceFactor: number;
  readonly tick: PacedTick;
}

/** A quarter of a frame: calls keep their own phase and do not all send in the same millisecond. */
const TICK_MS = 5;

const paced = new Set<Paced>();
let timer: NodeJS.Timeout | undefined;

/**
 * Calls `tick` again and again until the returned function is called (twice is fine). One timer serves all calls of
 * the process. What is due follows from the elapsed time and not from the number of ticks, so that nothing drifts.
 */
export function pace(paceFactor: number, tick: PacedTick): () => void {
  if (!(paceFactor > 0)) throw new RangeError(`the pace factor must be above 0, got ${paceFactor}`);
  const entry = { startedAt: performance.now(), paceFactor, tick };
  paced.add(entry);
  timer ??= setInterval(tickAll, TICK_MS);
  return () => {
    paced.delete(entry);
    if (paced.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function tickAll(): void {
  const now = performance.now();
  for (const { startedAt, paceFactor, tick } of paced) tick((now - startedAt) * paceFactor);
}
