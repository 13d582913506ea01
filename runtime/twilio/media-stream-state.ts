/**
 * A media stream's life:
 *
 *     waiting --start--> checking --ticket good--> streaming --stop, our close--> closing --socket gone--> ended
 *        \------------------\---- refused, our close, no start in time ------------^
 *
 * A socket that goes away by itself takes any state straight to `ended`; while its ticket is looked at, after that.
 */
export type MediaStreamState = 'waiting' | 'checking' | 'streaming' | 'closing' | 'ended';

const nextStates: Readonly<Record<MediaStreamState, readonly MediaStreamState[]>> = {
  waiting: ['checking', 'streaming', 'closing', 'ended'],
  checking: ['streaming', 'closing', 'ended'],
  streaming: ['closing', 'ended'],
  closing: ['ended'],
  ended: [],
};

export function mayFollow(state: MediaStreamState, next: MediaStreamState): boolean {
  return nextStates[state].includes(next);
}
