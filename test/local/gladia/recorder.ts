import type { RecognisedUtterance, TrackListener } from '../../../local/gladia/recogniser';

export interface Recorded {
  readonly finals: RecognisedUtterance[];
  readonly partials: RecognisedUtterance[];
  /** Everything in order, such as "start 100", "partial Hi", "end 500", "final Hi there". */
  readonly log: string[];
  readonly errors: Error[];
  readonly listener: TrackListener;
}

/** A listener that remembers what a recogniser's track has said. */
export function recordTrack(): Recorded {
  const finals: RecognisedUtterance[] = [];
  const partials: RecognisedUtterance[] = [];
  const log: string[] = [];
  const errors: Error[] = [];
  const listener: TrackListener = {
    speechStart: (atMs) => log.push(`start ${atMs}`),
    speechEnd: (atMs) => log.push(`end ${atMs}`),
    partial: (utterance) => {
      partials.push(utterance);
      log.push(`partial ${utterance.text}`);
    },
    final: (utterance) => {
      finals.push(utterance);
      log.push(`final ${utterance.text}`);
    },
    failed: (error) => errors.push(error),
  };
  return { finals, partials, log, errors, listener };
}
