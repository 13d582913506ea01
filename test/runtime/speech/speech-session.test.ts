import { Secret } from '../../../runtime/model/secret';
import { SpeechSession } from '../../../runtime/speech/speech-session';

const FRAME = 160;

function session(baseByte = 0): SpeechSession {
  return new SpeechSession({
    number: 1,
    grant: { sessionId: 's', url: new Secret('ws://x') },
    baseByte,
    bytesPerMs: 8,
  });
}

function send(target: SpeechSession, frames: number): void {
  for (let i = 0; i < frames; i += 1) target.sent(FRAME);
}

function acknowledge(target: SpeechSession, fromFrame: number, frames: number): void {
  for (let i = fromFrame; i < fromFrame + frames; i += 1)
    target.acknowledge({ fromByte: i * FRAME, toByte: (i + 1) * FRAME });
}

/** Ten frames sent, six acknowledged, then the socket is lost and a new one opened. */
function resumed(baseByte = 0): SpeechSession {
  const target = session(baseByte);
  target.beginSocket();
  send(target, 10);
  acknowledge(target, 0, 6);
  target.beginSocket();
  return target;
}

test('goes on behind what was acknowledged, with one message that asks where the service stands', () => {
  const target = resumed();
  expect(target.sentByte).toBe(6 * FRAME);
  expect(target.mustProbe).toBe(true);
  target.sent(FRAME);
  expect(target.isProbing).toBe(true);
});

test('asks nothing when nothing was in flight', () => {
  const target = session();
  target.beginSocket();
  send(target, 3);
  acknowledge(target, 0, 3);
  target.beginSocket();
  expect(target.mustProbe).toBe(false);
});

test('sends everything in flight again when the service forgot it', () => {
  const target = resumed();
  target.sent(FRAME);
  acknowledge(target, 6, 1);
  expect(target.isProbing).toBe(false);
  expect(target.sentByte).toBe(7 * FRAME);
  expect(target.timeline.toLegMs(200)).toBe(200);
});

test('sends nothing again but the question when the service kept what was in flight', () => {
  const target = resumed();
  target.sent(FRAME);
  acknowledge(target, 10, 1);
  expect(target.sentByte).toBe(10 * FRAME);
  expect(target.ackedByte).toBe(10 * FRAME);
  // The service has ten frames and the question, which repeats the seventh: its clock is one frame ahead from there.
  // Words that begin or end in the question are those around it.
  expect(target.timeline.toLegMs(190)).toBe(190);
  expect(target.timeline.toLegMs(205)).toBe(205);
  expect(target.timeline.toLegMs(240)).toBe(220);
});

test('places words around the question where they were said', () => {
  const target = session();
  target.beginSocket();
  send(target, 160);
  acknowledge(target, 0, 10);
  // Three seconds were in flight, and the service kept them.
  target.beginSocket();
  target.sent(FRAME);
  acknowledge(target, 160, 1);
  const inTheQuestion = 160 * 20 + 10;
  expect(Math.abs(target.timeline.toLegMs(inTheQuestion) - inTheQuestion)).toBeLessThanOrEqual(20);
  expect(target.timeline.toLegMs(161 * 20 + 500)).toBe(160 * 20 + 500);
});

test('sends only the rest again when the service kept a part', () => {
  const target = resumed();
  target.sent(FRAME);
  acknowledge(target, 8, 1);
  expect(target.sentByte).toBe(8 * FRAME);
});

test.each([0, 3, 500])('sends everything again when the offset %i frames on tells nothing', (frame) => {
  const target = resumed();
  target.sent(FRAME);
  acknowledge(target, frame, 1);
  expect(target.sentByte).toBe(7 * FRAME);
  expect(target.ackedByte).toBe(7 * FRAME);
});

test('understands one ack for what was kept and the question together', () => {
  const target = resumed();
  target.sent(FRAME);
  target.acknowledge({ fromByte: 6 * FRAME, toByte: 11 * FRAME });
  expect(target.sentByte).toBe(10 * FRAME);
  expect(target.timeline.toLegMs(240)).toBe(220);
});

test('goes on without an answer when the question times out', () => {
  const target = resumed();
  target.sent(FRAME);
  target.endProbe();
  expect(target.isProbing).toBe(false);
  expect(target.mustProbe).toBe(false);
});

test('never skips audio after a question without an answer, however many later sockets are lost', () => {
  const target = resumed();
  target.sent(FRAME);
  target.endProbe();
  send(target, 2);
  // The service kept the four in flight. The ack of the question is missing: this is the next one.
  acknowledge(target, 11, 1);
  send(target, 20);
  // Of those it got twelve before the cut, which is up to frame 21 of the leg.
  target.beginSocket();
  target.sent(FRAME);
  acknowledge(target, 25, 1);
  expect(target.sentByte).toBeLessThanOrEqual(21 * FRAME);
  expect(target.ackedByte).toBeLessThanOrEqual(21 * FRAME);
});

test('keeps its clock over audio that was dropped before it was sent', () => {
  const target = session();
  target.beginSocket();
  send(target, 5);
  acknowledge(target, 0, 5);
  target.skipTo(100 * FRAME);
  send(target, 1);
  expect(target.timeline.toLegMs(99)).toBe(99);
  expect(target.timeline.toLegMs(100)).toBe(2_000);
});

test('counts what it sent twice', () => {
  const target = resumed();
  send(target, 4);
  expect(target.resentBytes).toBe(4 * FRAME);
  send(target, 1);
  expect(target.resentBytes).toBe(4 * FRAME);
});

describe('a reported duration', () => {
  const MS = 20;

  test.each([
    [1_200, true],
    [200, true],
    [-900, true],
    [1_201, false],
    [-1_001, false],
  ])('that differs by %i ms from twenty frames with ten sent twice is whole: %s', (differenceMs, isWhole) => {
    const target = session();
    target.beginSocket();
    for (let i = 0; i < 100; i += 1) target.sent(FRAME);
    acknowledge(target, 0, 90);
    target.beginSocket();
    for (let i = 0; i < 10; i += 1) target.sent(FRAME);
    target.reportDuration('end_recording.recording_duration', 100 * MS + differenceMs);
    expect(target.isWholeByDuration).toBe(isWhole);
  });

  test.each([
    [-1_020, false],
    [0, true],
    [1_500, undefined],
    [4_000, true],
    [9_001, false],
  ])(
    'that differs by %i ms, after an ack that may be about any of the messages sent again, is whole: %s',
    (differenceMs, isWhole) => {
      const target = session();
      target.beginSocket();
      target.sent(200 * FRAME);
      target.beginSocket();
      target.sent(FRAME);
      target.endProbe();
      target.sent(199 * FRAME);
      target.sent(200 * FRAME);
      // Of the last message, or of the first after the service kept what was in flight.
      target.acknowledge({ fromByte: 200 * FRAME, toByte: 400 * FRAME });
      target.reportDuration('end_recording.recording_duration', 400 * MS + differenceMs);
      expect(target.isWholeByDuration).toBe(isWhole);
    },
  );

  test('is unknown while none was reported', () => {
    expect(session().isWholeByDuration).toBeUndefined();
  });

  test('counts for what the strongest field says', () => {
    const target = session();
    target.beginSocket();
    send(target, 100);
    target.reportDuration('metadata.audio_duration', 2_000);
    target.reportDuration('stop_recording.recording_duration', 50_000);
    expect(target.isWholeByDuration).toBe(true);
  });
});

test('knows a final that came before, by its id', () => {
  const target = session();
  expect(target.addFinal('00_00000000', false)).toBe(true);
  expect(target.addFinal('00_00000000', false)).toBe(false);
});

test('remembers which finals repeat what an earlier session said', () => {
  const target = session();
  target.addFinal('a', true);
  target.addFinal('b', false);
  expect(['a', 'b', 'c'].map((id) => target.isRepeat(id))).toEqual([true, false, false]);
});

test('goes on with a whole sample when an ack ended inside of one', () => {
  const target = new SpeechSession({ number: 1, grant: session().grant, baseByte: 0, bytesPerMs: 16 });
  target.beginSocket();
  target.sent(8_192);
  target.acknowledge({ fromByte: 0, toByte: 4_095 });
  target.beginSocket();
  expect(target.sentByte % 2).toBe(0);
});
