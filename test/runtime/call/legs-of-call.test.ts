import { gapsBetween, inOrder } from '../../../runtime/call/legs-of-call';
import type { Track } from '../../../runtime/model/audio';
import type { LegEndReason } from '../../../runtime/model/call-event';
import type { LegSummary } from '../../../runtime/model/transcript-event';

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1) + second * 1_000).toISOString();

function leg(
  fromSecond: number,
  toSecond: number,
  endReason: LegEndReason = 'stream-lost',
  tracks: readonly Track[] = ['inbound'],
): LegSummary {
  const [firstAudioAt, lastAudioAt] = [at(fromSecond), at(toSecond)];
  return {
    startedAt: firstAudioAt,
    firstAudioAt,
    lastAudioAt,
    endedAt: lastAudioAt,
    endReason,
    tracks,
  } as LegSummary;
}

test.each([
  ['stream-lost', 'stream-lost'],
  ['protocol-error', 'stream-lost'],
  ['task-died', 'task-died'],
  ['stopped', 'stream-stopped'],
] as const)('between a leg that ended as %s and the next lies a gap by %s', (endReason, cause) => {
  const legs = inOrder({ MZ2: leg(15, 20), MZ1: leg(0, 10, endReason) });
  expect(gapsBetween(legs)).toEqual([
    { streamSid: 'MZ2', track: 'inbound', startMs: 10_000, endMs: 15_000, cause },
  ]);
});

test('legs that overlap, as in a hand-over, leave no gap, also not for a third one', () => {
  const legs = inOrder({ MZ1: leg(0, 30, 'handed-over'), MZ2: leg(9, 12), MZ3: leg(29, 40) });
  expect(gapsBetween(legs)).toEqual([]);
});

test('each track has gaps of its own', () => {
  const legs = inOrder({
    MZ1: leg(0, 10, 'stream-lost', ['inbound', 'outbound']),
    MZ2: leg(12, 20, 'stream-lost', ['inbound']),
    MZ3: leg(25, 30, 'stopped', ['inbound', 'outbound']),
  });
  expect(gapsBetween(legs).map(({ track, startMs, endMs }) => [track, startMs, endMs])).toEqual([
    ['inbound', 10_000, 12_000],
    ['inbound', 20_000, 25_000],
    ['outbound', 10_000, 25_000],
  ]);
});

test('a leg that never heard anything, and one that has not ended, say nothing', () => {
  const { firstAudioAt: _, lastAudioAt: __, ...mute } = leg(3, 4);
  const { endedAt: ___, ...open } = leg(15, 20);
  const legs = inOrder({ MZ1: leg(0, 10), MZ2: mute, MZ3: open as LegSummary });
  expect(legs.map(([streamSid]) => streamSid)).toEqual(['MZ1', 'MZ2']);
  expect(gapsBetween(legs)).toEqual([]);
});

test('what the clocks of two tasks may differ by is no gap', () => {
  expect(gapsBetween(inOrder({ MZ1: leg(0, 10), MZ2: leg(10.03, 20) }))).toEqual([]);
});
