import { accountForAudio, type AudioAccount } from '../../../local/fleet/audio-account';
import { patternedAudio, spokenAudio } from '../../support/audio';

const ORIGINAL = patternedAudio(10_000, 5);
const NOTHING: AudioAccount = {
  ...{ saidMs: 10_000, unsentMs: 0, overlapMs: 0, lostMs: 0, lost: [], doubledMs: 0, foreignMs: 0 },
};
const ALL = [{ fromMs: 0, toMs: 10_000 }];

function part(fromMs: number, toMs: number): Buffer {
  return ORIGINAL.subarray(fromMs * 8, toMs * 8);
}

const silence = (ms: number): Buffer => Buffer.alloc(ms * 8, 0xff);

it('has nothing to complain of when all was sent once and accepted once', () => {
  expect(accountForAudio({ original: ORIGINAL, sent: ALL, accepted: [ORIGINAL] })).toEqual(NOTHING);
});

it('takes silence for what was filled in, wherever it is', () => {
  const accepted = Buffer.concat([silence(40), part(0, 3_001), silence(7), part(3_001, 10_000), silence(20)]);
  expect(accountForAudio({ original: ORIGINAL, sent: ALL, accepted: [accepted] })).toEqual(NOTHING);
});

it('counts what was said while no stream was there', () => {
  const sent = [
    { fromMs: 0, toMs: 4_000 },
    { fromMs: 6_500, toMs: 10_020 },
  ];
  const accepted = [part(0, 4_000), part(6_500, 10_000)];
  expect(accountForAudio({ original: ORIGINAL, sent, accepted })).toEqual({ ...NOTHING, unsentMs: 2_500 });
});

it('counts what was sent and never accepted, to the byte', () => {
  const accepted = [Buffer.concat([ORIGINAL.subarray(0, 30_001), ORIGINAL.subarray(30_009)])];
  expect(accountForAudio({ original: ORIGINAL, sent: ALL, accepted })).toEqual({
    ...NOTHING,
    lostMs: 1,
    lost: [{ fromMs: 3_750.125, toMs: 3_751.125 }],
  });
  expect(accountForAudio({ original: ORIGINAL, sent: ALL, accepted: [] })).toEqual({
    ...NOTHING,
    lostMs: 10_000,
    lost: ALL,
  });
});

it('knows an overlap of two streams, of which both were heard, from audio that was said twice', () => {
  const sent = [
    { fromMs: 0, toMs: 5_000 },
    { fromMs: 4_800, toMs: 10_000 },
  ];
  const accepted = [part(0, 5_000), part(4_800, 10_000)];
  expect(accountForAudio({ original: ORIGINAL, sent, accepted })).toEqual({ ...NOTHING, overlapMs: 200 });
  const again = [Buffer.concat([part(0, 5_000), part(4_900, 5_000)]), part(4_800, 10_000)];
  expect(accountForAudio({ original: ORIGINAL, sent, accepted: again })).toEqual({
    ...NOTHING,
    overlapMs: 200,
    doubledMs: 100,
  });
});

it('does not lose what only one of two streams brought through', () => {
  const sent = [
    { fromMs: 0, toMs: 5_000 },
    { fromMs: 4_800, toMs: 10_000 },
  ];
  const accepted = [part(0, 4_900), part(4_900, 10_000)];
  expect(accountForAudio({ original: ORIGINAL, sent, accepted })).toEqual({ ...NOTHING, overlapMs: 200 });
});

it('counts what was neither said nor silence', () => {
  const accepted = [Buffer.concat([part(0, 5_000), patternedAudio(30, 6), part(5_000, 10_000)])];
  const { foreignMs, lostMs } = accountForAudio({ original: ORIGINAL, sent: ALL, accepted });
  expect(foreignMs).toBeCloseTo(30, 0);
  expect(lostMs).toBe(0);
});

it.each([1, 2, 3, 4, 5])('finds quiet audio too, cut and said again at odd places (%d)', (seed) => {
  const original = spokenAudio(10_000, [{ startMs: 1_000, endMs: 2_000 }], seed);
  const cut = 40_000 + seed * 13;
  const again = 120 + seed;
  const accepted = [Buffer.concat([original.subarray(0, cut), original.subarray(cut - again)])];
  expect(accountForAudio({ original, sent: ALL, accepted })).toEqual({ ...NOTHING, doubledMs: again / 8 });
});
