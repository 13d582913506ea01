/** What the bench's speech server says of each channel. Written in `docs/performance.md`. */
export const SAID = { partialsPerSecond: 2, secondsPerFinal: 5 } as const;

const WORDS = 'so I would like to move the appointment to Thursday if that is possible'.split(' ');

export interface BenchUtterance {
  readonly sessionId: string;
  readonly createdAt: string;
  readonly channel: number;
  /** Finals before this one, on this channel. */
  readonly number: number;
  readonly isFinal: boolean;
  /** Seconds of session audio. */
  readonly start: number;
  readonly end: number;
}

/** One `transcript` message as on the wire, with 14 words (gladia-live.md, 3.4). */
export function transcriptMessage(said: BenchUtterance): string {
  const { sessionId, createdAt, channel, number, isFinal, start, end } = said;
  const step = (end - start) / WORDS.length;
  const words = WORDS.map((word, i) => ({
    word: ` ${word}`,
    start: round(start + i * step),
    end: round(start + (i + 1) * step),
    confidence: 0.91,
  }));
  const utterance = {
    text: ` ${WORDS.join(' ')}`,
    start: round(start),
    end: round(end),
    language: 'en',
    confidence: 0.91,
    channel,
    words,
  };
  const id = `${String(channel).padStart(2, '0')}_${String(number).padStart(8, '0')}`;
  return JSON.stringify({
    session_id: sessionId,
    created_at: createdAt,
    type: 'transcript',
    data: { id, is_final: isFinal, utterance },
  });
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
