import { counted } from '../model/counted';
import type { LegSummary, Segment, Speaker, TranscriptEvent } from '../model/transcript-event';
import type { Style, Terminal } from './terminal';
import type { TranscriptSink } from './transcript-sink';

const SPEAKER_STYLES: Readonly<Record<Speaker, Style>> = { customer: 'cyan', agent: 'magenta' };
const SPEAKER_COLUMNS = 8;

/** Shows calls to people: one line per transcript, partials changing in place. */
export class ConsoleSink implements TranscriptSink {
  readonly name = 'console';
  readonly #terminal: Terminal;
  readonly #liveCalls = new Set<string>();
  readonly #partials = new Set<string>();

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  write(event: TranscriptEvent): void {
    switch (event.type) {
      case 'leg-started':
        this.#liveCalls.add(event.callSid);
        return this.#note(event.callSid, `Twilio connected: ${event.tracks.join(' and ')} audio`);
      case 'session-opened':
        return this.#note(event.callSid, `Gladia session ${event.sessionId}: listening`);
      case 'partial':
        return this.#partial(event.callSid, event.segment);
      case 'final':
        return this.#final(event.callSid, event.segment);
      case 'add-on':
        return this.#note(event.callSid, `${event.addOn.kind}: ${JSON.stringify(event.addOn.value)}`);
      case 'summary':
        return this.#note(event.callSid, `summary: ${event.text}`);
      case 'leg-ended':
        return this.#legEnded(event.callSid, event.summary);
      case 'call-ended':
        this.#liveCalls.delete(event.callSid);
        return;
      case 'audio-started':
      case 'call-described':
      case 'session-closed':
      case 'gap':
      case 'heard-twice':
        return;
    }
  }

  close(): Promise<number> {
    for (const key of this.#partials) this.#terminal.live(key, undefined);
    return Promise.resolve(0);
  }

  #partial(callSid: string, segment: Segment): void {
    const key = `${callSid}/${segment.track}`;
    this.#partials.add(key);
    this.#terminal.live(key, `${segment.text} ...`, this.#label(callSid) + lineStart(segment));
  }

  #final(callSid: string, segment: Segment): void {
    const key = `${callSid}/${segment.track}`;
    if (this.#partials.delete(key)) this.#terminal.live(key, undefined);
    const head = this.#label(callSid) + lineStart(segment);
    this.#terminal.entry(head, segment.text, SPEAKER_STYLES[segment.speaker]);
  }

  #legEnded(callSid: string, { endReason, failure, segments }: LegSummary): void {
    for (const key of this.#partials) {
      if (key.startsWith(callSid) && this.#partials.delete(key)) this.#terminal.live(key, undefined);
    }
    this.#note(
      callSid,
      `Twilio stream ended (${endReason}): ${counted(segments, 'segment')}${failure === undefined ? '' : `, failed: ${failure}`}`,
    );
  }

  #note(callSid: string, text: string): void {
    this.#terminal.line(this.#label(callSid) + this.#terminal.styled(text, 'dim'));
  }

  /** Tells calls apart when there are several. */
  #label(callSid: string): string {
    return this.#liveCalls.size > 1 ? `${callSid.slice(-6)}  ` : '';
  }
}

function lineStart({ startMs, speaker }: Segment): string {
  return `${clockTime(startMs)}  ${speaker.padEnd(SPEAKER_COLUMNS)}  `;
}

/** `MM:SS.t`, or `H:MM:SS.t` from an hour on. */
export function clockTime(ms: number): string {
  const tenths = Math.floor(ms / 100);
  const seconds = ((tenths / 10) % 60).toFixed(1).padStart(4, '0');
  const minutes = String(Math.floor(tenths / 600) % 60).padStart(2, '0');
  const hours = Math.floor(tenths / 36_000);
  return `${hours > 0 ? `${hours}:` : ''}${minutes}:${seconds}`;
}
