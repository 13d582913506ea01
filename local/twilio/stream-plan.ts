import type { IntrusionKind } from './behaviour';
import { type MediaPlanOptions, planMedia, type PlannedFrame } from './media-plan';

export interface PlannedIntrusion {
  readonly intrusion: IntrusionKind;
  /** Stream time at which it is sent. */
  readonly dueMs: number;
}

export type PlannedMessage = PlannedFrame | PlannedIntrusion;

/** Everything that a stream sends between `start` and its end, in order: the media and what intrudes. */
export function* planStream(options: MediaPlanOptions): Generator<PlannedMessage, undefined> {
  const waiting = options.behaviour.intrusions
    .filter(({ kind }) => kind !== 'media before start')
    .map(({ kind, atMs = 0 }) => ({ intrusion: kind, dueMs: atMs }))
    .sort((a, b) => a.dueMs - b.dueMs);
  let endMs = 0;
  for (const frame of planMedia(options)) {
    while (waiting[0] !== undefined && waiting[0].dueMs <= frame.dueMs) yield* waiting.splice(0, 1);
    endMs = frame.dueMs;
    yield frame;
  }
  // What was meant for later than the last frame still comes, with it.
  for (const intrusion of waiting) yield { ...intrusion, dueMs: endMs };
  return undefined;
}
