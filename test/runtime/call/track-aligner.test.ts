import fc from 'fast-check';
import { TrackAligner } from '../../../runtime/call/track-aligner';
import type { Track } from '../../../runtime/model/audio';

const BOTH: readonly Track[] = ['inbound', 'outbound'];

function aligned(tracks: readonly Track[]) {
  const emitted: Buffer[] = [];
  const time = { nowMs: 0 };
  const aligner = new TrackAligner({
    tracks,
    alignmentWindowMs: 200,
    now: () => time.nowMs,
    taker: { sendAudio: (bytes) => emitted.push(bytes) },
  });
  const channel = (index: number): Buffer =>
    Buffer.concat(emitted).filter((_, i) => i % tracks.length === index) as unknown as Buffer;
  return {
    aligner,
    time,
    all: () => Buffer.concat(emitted),
    channel: (index: number) => Buffer.from(channel(index)),
  };
}

/** 20 ms of one value. */
function frame(value: number, bytes = 160): Buffer {
  return Buffer.alloc(bytes, value);
}

function silence(ms: number): Buffer {
  return Buffer.alloc(ms * 8, 0xff);
}

describe('one track', () => {
  test('goes through byte for byte, with odd frame sizes and wandering timestamps', () => {
    const { aligner, all } = aligned(['inbound']);
    const frames = [frame(1), frame(2, 80), frame(3, 240), frame(4, 1), frame(5)];
    [57, 76, 87, 118, 118].forEach((timestampMs, i) => aligner.push('inbound', timestampMs, frames[i]!));
    expect(all()).toEqual(Buffer.concat(frames));
    expect(aligner.placedMs('inbound').filledMs).toBe(0);
  });

  test('puts nothing before its first frame, whatever the timestamp', () => {
    const { aligner, all } = aligned(['inbound']);
    aligner.push('inbound', 9_000, frame(1));
    expect(all()).toEqual(frame(1));
    expect(aligner.originMs).toBe(9_000);
  });

  test.each([
    [40, 0],
    [41, 41],
    [500, 500],
    [120_000, 120_000],
    [120_001, 0],
    [-500, 0],
  ])('fills a jump of %i ms with %i ms of silence', (jumpMs, filledMs) => {
    const { aligner, all } = aligned(['inbound']);
    aligner.push('inbound', 100, frame(1));
    expect(aligner.push('inbound', 120 + jumpMs, frame(2))).toBe(filledMs);
    expect(all()).toEqual(Buffer.concat([frame(1), silence(filledMs), frame(2)]));
    expect(aligner.placedMs('inbound')).toEqual({ framesMs: 40, filledMs });
  });

  test('fills no more silence than there was time for, and two minutes', () => {
    const { aligner, time } = aligned(['inbound']);
    const filled: number[] = [];
    for (let i = 0; i < 100; i += 1) {
      time.nowMs = i * 1_000;
      filled.push(aligner.push('inbound', i * 60_000, frame(1)));
    }
    expect(filled.slice(0, 3)).toEqual([0, 59_980, 59_980]);
    expect(filled.slice(3)).toEqual(filled.slice(3).map(() => 0));
  });

  test('fills every gap of a call that is mostly silent', () => {
    const { aligner, time } = aligned(['inbound']);
    let filledMs = 0;
    for (let minute = 0; minute < 60; minute += 1) {
      time.nowMs = minute * 60_000;
      filledMs += aligner.push('inbound', minute * 60_000, frame(1));
    }
    expect(filledMs).toBe(59 * (60_000 - 20));
  });

  test('fills once lost frames add up to a jump', () => {
    const { aligner } = aligned(['inbound']);
    aligner.push('inbound', 0, frame(1));
    expect(aligner.push('inbound', 40, frame(2))).toBe(0);
    expect(aligner.push('inbound', 80, frame(3))).toBe(0);
    expect(aligner.push('inbound', 120, frame(4))).toBe(60);
  });

  test('fills only what supplied silence has left of a jump', () => {
    const { aligner, all } = aligned(['inbound']);
    aligner.push('inbound', 0, frame(1));
    expect(aligner.supply(700)).toBe(700);
    expect(aligner.push('inbound', 1_020, frame(2))).toBe(300);
    expect(all()).toHaveLength(8 * 1_040);
  });

  test('keeps audio that comes after silence took its place, and tells its time', () => {
    const { aligner, all } = aligned(['inbound']);
    aligner.push('inbound', 0, frame(1));
    aligner.supply(500);
    aligner.push('inbound', 20, frame(2));
    expect(all()).toEqual(Buffer.concat([frame(1), silence(500), frame(2)]));
    expect(aligner.toTimestampMs(0, 10)).toBe(10);
    expect(aligner.toTimestampMs(0, 520)).toBe(20);
    expect(aligner.toTimestampMs(0, 530)).toBe(30);
  });

  test('counts time back from the first frame over silence supplied before it', () => {
    const { aligner } = aligned(['inbound']);
    aligner.supply(300);
    aligner.push('inbound', 5_000, frame(1));
    expect(aligner.toTimestampMs(0, 300)).toBe(5_000);
    expect(aligner.toTimestampMs(0, 0)).toBe(4_700);
  });

  test('knows no time before its first frame', () => {
    const { aligner } = aligned(['inbound']);
    aligner.supply(300);
    expect(aligner.toTimestampMs(0, 100)).toBeUndefined();
  });

  test('refuses a track that the leg does not have', () => {
    expect(() => aligned(['inbound']).aligner.push('outbound', 0, frame(1))).toThrow('no outbound track');
  });
});

describe('two tracks', () => {
  test('are interleaved sample by sample, inbound first', () => {
    const { aligner, all } = aligned(BOTH);
    aligner.push('outbound', 8, frame(2));
    aligner.push('inbound', 8, frame(1));
    expect(all().subarray(0, 6)).toEqual(Buffer.from([1, 2, 1, 2, 1, 2]));
    expect(all()).toHaveLength(320);
  });

  test('wait for each other, also through a burst of one after a burst of the other', () => {
    const { aligner, all, channel } = aligned(BOTH);
    for (let i = 0; i < 15; i += 1) aligner.push('inbound', i * 20, frame(1));
    expect(all()).toHaveLength(0);
    for (let i = 0; i < 15; i += 1) aligner.push('outbound', i * 20, frame(2));
    expect(channel(0)).toEqual(frame(1, 15 * 160));
    expect(channel(1)).toEqual(frame(2, 15 * 160));
  });

  test('go on without the one that is not heard for a whole window', () => {
    const { aligner, time, channel } = aligned(BOTH);
    for (let i = 0; i < 50; i += 1) {
      time.nowMs = i * 20;
      aligner.push('inbound', i * 20, frame(1));
    }
    expect(channel(0)).toEqual(frame(1, 40 * 160));
    expect(channel(1)).toEqual(silence(800));
    expect(aligner.placedMs('outbound')).toEqual({ framesMs: 0, filledMs: 800 });
  });

  test('put a track that starts late in its place', () => {
    const { aligner, time, channel } = aligned(BOTH);
    for (let i = 0; i < 100; i += 1) {
      time.nowMs = i * 20;
      aligner.push('inbound', i * 20, frame(1));
      if (i >= 60) aligner.push('outbound', i * 20, frame(2));
    }
    expect(channel(1)).toEqual(Buffer.concat([silence(1_200), frame(2, 40 * 160)]));
    expect(aligner.toTimestampMs(1, 1_200)).toBe(1_200);
  });

  test('do not wait for a track that is far behind, even while it comes', () => {
    const { aligner, all } = aligned(BOTH);
    aligner.push('outbound', 0, frame(2));
    aligner.push('inbound', 0, frame(1));
    aligner.push('inbound', 10_000, frame(1));
    aligner.push('outbound', 20, frame(2));
    expect(all().length).toBeGreaterThan(2 * 8 * 9_000);
  });

  test('come to one length at the end', () => {
    const { aligner, all, channel } = aligned(BOTH);
    aligner.push('inbound', 0, frame(1));
    aligner.push('inbound', 20, frame(1));
    aligner.push('outbound', 0, frame(2));
    expect(aligner.flush()).toBe(20);
    expect(all()).toHaveLength(2 * 320);
    expect(channel(1)).toEqual(Buffer.concat([frame(2), silence(20)]));
    expect(aligner.flush()).toBe(0);
  });

  test('both get supplied silence, and are brought to one length before it', () => {
    const { aligner, all, channel } = aligned(BOTH);
    aligner.push('inbound', 0, frame(1));
    expect(aligner.supply(100)).toBe(20 + 200);
    expect(all()).toHaveLength(2 * 120 * 8);
    expect(channel(0)).toEqual(Buffer.concat([frame(1), silence(100)]));
  });
});

test('tells when the earliest sample arrived, however long it waited for the other track', () => {
  const arrivals: number[] = [];
  const time = { nowMs: 0 };
  const aligner = new TrackAligner({
    tracks: BOTH,
    alignmentWindowMs: 200,
    now: () => time.nowMs,
    taker: { sendAudio: (_bytes, atMs) => arrivals.push(atMs) },
  });
  aligner.push('inbound', 0, frame(1));
  time.nowMs = 150;
  aligner.push('outbound', 0, frame(2));
  expect(arrivals).toEqual([0]);
});

test('loses and changes no frame, and counts every other byte as filled, whatever comes when', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({
        track: fc.constantFrom<Track>('inbound', 'outbound'),
        stepMs: fc.integer({ min: -100, max: 3_000 }),
        bytes: fc.integer({ min: 1, max: 400 }),
      }),
      fc.record({ supplyMs: fc.nat(1_500) }),
      fc.record({ waitMs: fc.nat(600) }),
    ),
    { maxLength: 80 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      const { aligner, time, channel } = aligned(BOTH);
      const sent: Record<Track, number[]> = { inbound: [], outbound: [] };
      const timestamps: Record<Track, number> = { inbound: 0, outbound: 0 };
      let filledMs = 0;
      let value = 0;
      for (const step of all) {
        if ('waitMs' in step) time.nowMs += step.waitMs;
        else if ('supplyMs' in step) filledMs += aligner.supply(step.supplyMs);
        else {
          // 0xFF is silence; everything else is a frame's own.
          const payload = Buffer.from(Array.from({ length: step.bytes }, () => (value = (value + 1) % 255)));
          timestamps[step.track] = Math.max(0, timestamps[step.track] + step.stepMs);
          filledMs += aligner.push(step.track, timestamps[step.track], payload);
          sent[step.track].push(...payload);
        }
      }
      filledMs += aligner.flush();
      BOTH.forEach((track, index) => {
        const placed = aligner.placedMs(track);
        expect([...channel(index)].filter((byte) => byte !== 0xff)).toEqual(sent[track]);
        expect(channel(index)).toHaveLength((placed.framesMs + placed.filledMs) * 8);
        expect(placed.framesMs * 8).toBe(sent[track].length);
      });
      expect(aligner.placedMs('inbound').filledMs + aligner.placedMs('outbound').filledMs).toBeCloseTo(
        filledMs,
      );
    }),
    { numRuns: 300 },
  );
});
