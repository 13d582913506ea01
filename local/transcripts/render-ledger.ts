import { TRACKS, type Track } from '../../runtime/model/audio';
import type { NoStreamCause, TrackLedger } from '../../runtime/model/audio-ledger';
import type { GapItem } from '../../runtime/store/stored-call';
import { createStyled, type Styled } from './text-style';
import { textTable } from './text-table';

/** One track of a ledger: the relay's own, or one read back, whose causes of loss may be of another version. */
export type RenderedTrack = Readonly<
  Omit<TrackLedger, 'lostMs'> & { lostMs: Readonly<Partial<Record<string, number>>> }
>;
export interface RenderedLedger {
  readonly tracks: Readonly<Partial<Record<Track, RenderedTrack | undefined>>>;
}

export interface RenderOptions {
  readonly color: boolean;
}

/** Between two streams there is nothing to receive, so the ledger has nothing to account for. */
const BETWEEN_STREAMS: readonly NoStreamCause[] = ['stream-lost', 'stream-stopped', 'task-died'];

/**
 * The audio ledger for people: a column per track, in seconds to the millisecond. Its last lines say whether every
 * millisecond is accounted for, and what no stream brought.
 */
export function renderLedger(
  ledger: RenderedLedger,
  { color }: RenderOptions,
  gaps: readonly GapItem[] = [],
): string[] {
  const tracks: [string, RenderedTrack][] = [];
  for (const name of TRACKS) {
    const track = ledger.tracks[name];
    if (track !== undefined) tracks.push([name, track]);
  }
  if (tracks.length === 0) return ['No audio was received.'];
  const parts = tracks.map(([, track]) => track);
  const row = (title: string, msOf: (track: RenderedTrack) => number): string[] => [
    title,
    ...parts.map((track) => seconds(msOf(track))),
  ];
  const causes = [...new Set(parts.flatMap((track) => Object.keys(track.lostMs)))].sort();
  const rows = [
    row('received', (track) => track.receivedMs),
    row('  from Twilio', (track) => track.framesMs),
    row('  silence filled in', (track) => track.filledMs),
    row('transcribed', (track) => track.acceptedMs),
    row('transcribed late', (track) => track.lateMs),
    row('unconfirmed', (track) => track.unconfirmedMs),
    ...(causes.length === 0 ? [row('lost', () => 0)] : []),
    ...causes.map((cause) => row(`lost: ${cause}`, (track) => track.lostMs[cause] ?? 0)),
  ];
  const columns = [
    { title: 'Audio in seconds' },
    ...tracks.map(([name]) => ({ title: name, align: 'right' as const })),
  ];
  const missing = notReceived(parts, gaps);
  const styled = createStyled(color);
  return [
    ...textTable(columns, rows),
    verdict(parts, { styled, isWhole: missing.length === 0 }),
    ...(missing.length === 0
      ? []
      : [styled('yellow', `Not received, because no stream was there: ${missing.join(', ')}.`)]),
  ];
}

/** Gap items of a dead task are of its own audio, which the ledger has, and of the time until another one listened. */
function notReceived(tracks: readonly RenderedTrack[], gaps: readonly GapItem[]): string[] {
  return BETWEEN_STREAMS.flatMap((cause) => {
    const inGapsMs = sum(gaps.filter((gap) => gap.cause === cause).map((gap) => gap.endMs - gap.startMs));
    const missingMs = inGapsMs - sum(tracks.map((track) => track.lostMs[cause] ?? 0));
    return missingMs >= 1 ? [`${seconds(missingMs)} s ${cause}`] : [];
  });
}

/** Milliseconds of the track that are in the ledger's right side. */
export function accountedMs(track: RenderedTrack): number {
  const lost = sum(Object.values(track.lostMs).map((ms) => ms ?? 0));
  return track.acceptedMs + track.lateMs + track.unconfirmedMs + lost;
}

function verdict(
  tracks: readonly RenderedTrack[],
  { styled, isWhole }: { readonly styled: Styled; readonly isWhole: boolean },
): string {
  const received = sum(tracks.map((track) => track.receivedMs));
  const off = sum(
    tracks.map(
      (track) =>
        Math.abs(track.receivedMs - accountedMs(track)) +
        Math.abs(track.receivedMs - track.framesMs - track.filledMs),
    ),
  );
  if (off > 0) return styled('red', `The ledger does not add up: ${seconds(off)} s are not accounted for.`);
  const transcribed = sum(tracks.map((track) => track.acceptedMs + track.lateMs));
  // Rounded down: 100 % is said of nothing less.
  const share = received === 0 ? 100 : Math.floor((1000 * transcribed) / received) / 10;
  return styled(
    transcribed === received && isWhole ? 'green' : 'yellow',
    `Every millisecond is accounted for: ${seconds(received)} s received, ${share} % transcribed.`,
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
