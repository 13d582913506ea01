import { isUntranscribed } from '../../../runtime/call/untranscribed';
import type { TrackLedger } from '../../../runtime/model/audio-ledger';

const track = (framesMs: number, filledMs = 0): TrackLedger => ({
  receivedMs: framesMs + filledMs,
  framesMs,
  filledMs,
  acceptedMs: framesMs + filledMs,
  lateMs: 0,
  unconfirmedMs: 0,
  lostMs: {},
});

it('is a leg with more than ten seconds of audio and no segment', () => {
  expect(isUntranscribed({ segments: 0, ledger: { tracks: { inbound: track(10_020) } } })).toBe(true);
});

it.each([
  ['has a segment', 1, { inbound: track(60_000) }],
  ['is short', 0, { inbound: track(10_000) }],
  ['is short on each of its tracks', 0, { inbound: track(6_000), outbound: track(6_000) }],
  ['was filled with silence', 0, { inbound: track(1_000, 60_000) }],
  ['has no audio', 0, {}],
])('is not a leg that %s', (_, segments, tracks) => {
  expect(isUntranscribed({ segments, ledger: { tracks } })).toBe(false);
});
