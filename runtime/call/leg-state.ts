/**
 * One leg of a call:
 *
 *     waiting -> streaming -> finishing -> ended
 *
 * `waiting`: the stream has not said which call it is. `finishing`: no more audio comes, the last words do.
 * A leg ends exactly once; one that never started goes straight there, and one whose end a fault of ours keeps from being told.
 */
export type LegState = 'waiting' | 'streaming' | 'finishing' | 'ended';

export const LEG_MOVES: Readonly<Record<LegState, readonly LegState[]>> = {
  waiting: ['streaming', 'ended'],
  streaming: ['finishing', 'ended'],
  finishing: ['ended'],
  ended: [],
};
