import { TRACKS } from '../../runtime/model/audio';
import { counted } from '../../runtime/model/counted';
import type { Terminal } from '../../runtime/sinks/terminal';
import type { StoredCall } from '../../runtime/store/stored-call';
import { renderCall } from '../transcripts/render-call';
import { accountedMs, type RenderedTrack } from '../transcripts/render-ledger';

/** Whether the store holds the whole call: over, and every millisecond of it accounted for and in the transcript. */
export function isWhole({ call }: StoredCall): boolean {
  const tracks = TRACKS.map((track) => call.ledger?.tracks[track]).filter((track) => track !== undefined);
  return call.status === 'completed' && tracks.length > 0 && tracks.every(isTranscribed);
}

function isTranscribed(track: RenderedTrack): boolean {
  return accountedMs(track) === track.receivedMs && track.acceptedMs + track.lateMs === track.receivedMs;
}

/** Shows what the store has of the calls: one in full, of several the first in full and the rest in a line each. */
export function report(terminal: Terminal, calls: readonly StoredCall[]): void {
  const [first, ...others] = calls;
  if (first === undefined) return;
  terminal.line();
  terminal.line(terminal.styled('Stored in DynamoDB', 'bold'));
  terminal.line();
  renderCall(first, { color: terminal.hasColour }).forEach((line) => terminal.line(line));
  for (const stored of others) {
    const verdict = isWhole(stored) ? 'all audio transcribed' : 'NOT all audio transcribed';
    terminal.line(`${stored.call.callSid}  ${counted(stored.segments.length, 'segment')}, ${verdict}`);
  }
}
