import { TRACKS, type Track } from '../../runtime/model/audio';
import type { TrackLedger } from '../../runtime/model/audio-ledger';
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

/**
 * The audio ledger for people: a column per track, in seconds to the millisecond. Its last line says whether every
 * millisecond is accounted for.
 */
export function renderLedger(ledger: RenderedLedger, { color }: RenderOptions): string[] {
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
  return [...textTable(columns, rows), verdict(parts, createStyled(color))];
}

/** Milliseconds of the track that are in the ledger's right side. */
export function accountedMs(track: RenderedTrack): number {
  const lost = sum(Object.values(track.lostMs).map((ms) => ms ?? 0));
  return track.acceptedMs + track.lateMs + track.unconfirmedMs + lost;
}

function verdict(tracks: readonly RenderedTrack[], styled: Styled): string {
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
  const share = received === 0 ? '100' : ((100 * transcribed) / received).toFixed(1).replace(/\.0$/, '');
  return styled(
    transcribed === received ? 'green' : 'yellow',
    `Every millisecond is accounted for: ${seconds(received)} s received, ${share} % transcribed.`,
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
