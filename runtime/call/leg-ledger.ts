import { BYTES_PER_MS, type Track } from '../model/audio';
import type { AudioLedger, LossCause, TrackLedger } from '../model/audio-ledger';
import type { AudioAccount } from '../speech/audio-account';
import type { TrackAligner } from './track-aligner';

const LOSS_CAUSES: readonly LossCause[] = [
  'backlog-overflow',
  'session-ended',
  'transcription-failed',
  'relay-stopped',
  'task-died',
];

/** The service has it, or may have it; its session has not said so in the end. */
const UNCONFIRMED = ['unconfirmed', 'sent', 'acknowledged', 'acknowledged-late'] as const;

/**
 * A leg's ledger. While its recognition is open, what was sent is unconfirmed, and what waits is in no line yet. Tracks travel interleaved, so they share the fate of their audio. */
export function legLedger(
  tracks: readonly Track[],
  aligner: TrackAligner,
  account: AudioAccount,
): AudioLedger {
  const toMs = (bytes: number): number => bytes / (BYTES_PER_MS * tracks.length);
  const lost = LOSS_CAUSES.map((cause) => [cause, toMs(account.total('lost', cause))] as const);
  const fates = {
    acceptedMs: toMs(account.total('accepted')),
    lateMs: toMs(account.total('late')),
    unconfirmedMs: toMs(UNCONFIRMED.reduce((bytes, kind) => bytes + account.total(kind), 0)),
    lostMs: Object.fromEntries(lost.filter(([, ms]) => ms > 0)),
  };
  const ledgers = tracks.map((track): [Track, TrackLedger] => {
    const { framesMs, filledMs } = aligner.placedMs(track);
    return [track, { receivedMs: framesMs + filledMs, framesMs, filledMs, ...fates }];
  });
  return { tracks: Object.fromEntries(ledgers) };
}
