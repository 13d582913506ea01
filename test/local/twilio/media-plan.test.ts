import { type Behaviour, withDefaults } from '../../../local/twilio/behaviour';
import { planMedia, type PlannedFrame } from '../../../local/twilio/media-plan';
import { planStream } from '../../../local/twilio/stream-plan';

const inbound = Buffer.from(Array.from({ length: 1600 }, (_, n) => n % 251));
const outbound = Buffer.from(Array.from({ length: 1600 }, (_, n) => (n * 7) % 251));

function plan(
  switches: Partial<Behaviour> = {},
  tracks: ('inbound' | 'outbound')[] = ['inbound', 'outbound'],
): PlannedFrame[] {
  const behaviour = withDefaults({ firstTimestampMs: 0, burstFrames: 0, ...switches });
  return [...planMedia({ audio: { inbound, outbound }, tracks, behaviour })];
}

function audioOf(frames: PlannedFrame[], track: string): Buffer {
  return Buffer.concat(frames.filter((frame) => frame.track === track).map(({ payload }) => payload));
}

function timestampsOf(frames: PlannedFrame[], track: string): number[] {
  return frames.filter((frame) => frame.track === track).map(({ timestampMs }) => timestampMs);
}

describe('the plan of a stream', () => {
  it('sends every byte of both tracks in frames of 160, interleaved, each when it is complete', () => {
    const frames = plan();
    expect(audioOf(frames, 'inbound')).toEqual(inbound);
    expect(audioOf(frames, 'outbound')).toEqual(outbound);
    expect(frames.every(({ payload }) => payload.length === 160)).toBe(true);
    expect(frames.slice(0, 4).map(({ track, dueMs, timestampMs }) => [track, dueMs, timestampMs])).toEqual([
      ['inbound', 20, 0],
      ['outbound', 20, 0],
      ['inbound', 40, 20],
      ['outbound', 40, 20],
    ]);
  });

  it('sends only the tracks that were asked for', () => {
    expect(new Set(plan({}, ['outbound']).map(({ track }) => track))).toEqual(new Set(['outbound']));
  });

  it('starts with a burst and its first timestamp', () => {
    const frames = plan({ burstFrames: 7, firstTimestampMs: 111 }, ['inbound']);
    expect(frames.map(({ dueMs }) => dueMs)).toEqual([0, 0, 0, 0, 0, 0, 0, 20, 40, 60]);
    expect(frames[0]?.timestampMs).toBe(111);
  });

  it('draws burst and first timestamp as seen in the field when nothing is said', () => {
    for (let n = 0; n < 200; n += 1) {
      const { burstFrames, firstTimestampMs } = withDefaults({});
      expect(burstFrames).toBeGreaterThanOrEqual(5);
      expect(burstFrames).toBeLessThanOrEqual(11);
      expect(firstTimestampMs).toBeGreaterThanOrEqual(0);
      expect(firstTimestampMs).toBeLessThanOrEqual(200);
    }
  });

  it('fills a shorter track and a last half frame with silence', () => {
    const behaviour = withDefaults({ burstFrames: 0 });
    const frames = [
      ...planMedia({
        audio: { inbound: inbound.subarray(0, 250) },
        tracks: ['inbound', 'outbound'],
        behaviour,
      }),
    ];
    expect(audioOf(frames, 'inbound')).toEqual(
      Buffer.concat([inbound.subarray(0, 250), Buffer.alloc(70, 0xff)]),
    );
    expect(audioOf(frames, 'outbound')).toEqual(Buffer.alloc(320, 0xff));
  });

  it('uses odd payload sizes in turn and loses no byte', () => {
    const frames = plan({ payloadBytes: [80, 240, 320] }, ['inbound']);
    expect(frames.slice(0, 4).map(({ payload }) => payload.length)).toEqual([80, 240, 320, 80]);
    expect(timestampsOf(frames, 'inbound').slice(0, 4)).toEqual([0, 10, 40, 80]);
    expect(audioOf(frames, 'inbound').subarray(0, 1600)).toEqual(inbound);
  });

  it('steps timestamps by a pattern', () => {
    expect(
      timestampsOf(plan({ timestampStepsMs: [19, 21, 18] }, ['inbound']), 'inbound').slice(0, 5),
    ).toEqual([0, 19, 40, 58, 77]);
  });

  it('jumps timestamps without leaving out audio', () => {
    const frames = plan({ jumps: [{ atMs: 60, byMs: 5000 }] }, ['inbound']);
    expect(timestampsOf(frames, 'inbound').slice(2, 4)).toEqual([40, 5060]);
    expect(audioOf(frames, 'inbound')).toEqual(inbound);
  });

  it('leaves frames out of a gap, on one track or on all, while time goes on', () => {
    const oneTrack = plan({ gaps: [{ fromMs: 40, toMs: 100, track: 'outbound' }] });
    expect(timestampsOf(oneTrack, 'outbound').slice(0, 3)).toEqual([0, 20, 100]);
    expect(timestampsOf(oneTrack, 'inbound')).toHaveLength(10);
    const all = plan({ gaps: [{ fromMs: 40, toMs: 100 }] });
    expect(timestampsOf(all, 'inbound').slice(0, 3)).toEqual([0, 20, 100]);
  });

  it('starts the outbound track late', () => {
    const frames = plan({ outboundDelayMs: 100 });
    expect(timestampsOf(frames, 'outbound')[0]).toBe(100);
    expect(timestampsOf(frames, 'inbound')[0]).toBe(0);
  });

  it.each([
    ['outbound first', ['outbound', 'inbound', 'outbound', 'inbound']],
    ['alternating', ['inbound', 'outbound', 'outbound', 'inbound']],
  ] as const)('interleaves %s', (interleave, tracks) => {
    expect(
      plan({ interleave })
        .slice(0, 4)
        .map(({ track }) => track),
    ).toEqual(tracks);
  });

  it('holds frames back in a stall and then sends them at once', () => {
    const due = plan({ stalls: [{ atMs: 60, forMs: 100 }] }, ['inbound']).map(({ dueMs }) => dueMs);
    expect(due).toEqual([20, 40, 160, 160, 160, 160, 160, 160, 180, 200]);
  });

  it('refuses payload sizes that would never end', () => {
    expect(() => withDefaults({ payloadBytes: [160, 0] })).toThrow(RangeError);
    expect(() => withDefaults({ payloadBytes: [] })).toThrow(RangeError);
  });

  it('puts intrusions where they belong, late ones at the end', () => {
    const behaviour = withDefaults({
      burstFrames: 0,
      intrusions: [
        { kind: 'broken JSON', atMs: 99_999 },
        { kind: 'binary frame', atMs: 50 },
        { kind: 'second start' },
      ],
    });
    const messages = [...planStream({ audio: { inbound }, tracks: ['inbound'], behaviour })];
    const kinds = messages.map((message) => ('intrusion' in message ? message.intrusion : 'frame'));
    expect(kinds.slice(0, 5)).toEqual(['second start', 'frame', 'frame', 'binary frame', 'frame']);
    expect(kinds.at(-1)).toBe('broken JSON');
    expect(messages.at(-1)?.dueMs).toBe(200);
  });
});
