import { Secret } from '../../../runtime/model/secret';
import { SpeechSession } from '../../../runtime/speech/speech-session';

const FRAME = 160;
const FRAME_MS = 20;

/** Ten frames sent and six acknowledged, then the socket is lost. */
function lostOnce(): SpeechSession {
  const session = new SpeechSession({
    number: 1,
    grant: { sessionId: 's', url: new Secret('ws://x') },
    baseByte: 0,
    bytesPerMs: 8,
  });
  session.beginSocket();
  for (let i = 0; i < 10; i += 1) session.sent(FRAME);
  session.acknowledge({ fromByte: 0, toByte: 6 * FRAME, fromMs: 0 });
  session.beginSocket();
  return session;
}

test('a socket that is lost before its first message leaves the doubt about the one before it', () => {
  const session = lostOnce();
  session.beginSocket();
  expect(session.mustProbe).toBe(true);
  session.sent(FRAME);
  session.acknowledge({ fromByte: 10 * FRAME, toByte: 11 * FRAME });
  expect(session.sentByte).toBe(10 * FRAME);
});

test('a socket that is lost before the answer counts its question as in doubt too', () => {
  const session = lostOnce();
  session.sent(FRAME);
  session.beginSocket();
  expect(session.mustProbe).toBe(true);
  session.sent(FRAME);
  // The service has the four frames and the first question: one frame of that may be the question.
  session.acknowledge({ fromByte: 11 * FRAME, toByte: 12 * FRAME });
  expect(session.sentByte).toBe(10 * FRAME);
  expect(session.hasRepeats).toBe(true);
  // Words go on around the questions.
  expect(Math.abs(session.timeline.toLegMs(11 * FRAME_MS) - 10 * FRAME_MS)).toBeLessThanOrEqual(FRAME_MS);
  expect(session.timeline.toLegMs(12 * FRAME_MS)).toBe(10 * FRAME_MS);
});

test('what may be a question is never taken for audio that came after it', () => {
  const session = lostOnce();
  session.sent(FRAME);
  session.beginSocket();
  session.sent(FRAME);
  session.acknowledge({ fromByte: 8 * FRAME, toByte: 9 * FRAME });
  // Two frames were kept: the first two in flight, or the first one and the question.
  expect(session.sentByte).toBe(7 * FRAME);
});

test('offsets that begin anew on each socket are read by their time', () => {
  const session = lostOnce();
  session.sent(FRAME);
  session.acknowledge({ fromByte: 0, toByte: FRAME, fromMs: 10 * FRAME_MS });
  expect(session.sentByte).toBe(10 * FRAME);
  expect(session.timeline.toLegMs(11 * FRAME_MS + 100)).toBe(10 * FRAME_MS + 100);
});

test('a time that says that nothing was kept has everything sent again', () => {
  const session = lostOnce();
  session.sent(FRAME);
  session.acknowledge({ fromByte: 0, toByte: FRAME, fromMs: 6 * FRAME_MS });
  expect(session.sentByte).toBe(7 * FRAME);
  expect(session.hasRepeats).toBe(false);
});

test('an answer that comes when everything was sent again still sets the clock', () => {
  const session = lostOnce();
  session.sent(FRAME);
  session.endProbe();
  for (let i = 0; i < 5; i += 1) session.sent(FRAME);
  session.acknowledge({ fromByte: 10 * FRAME, toByte: 14 * FRAME });
  expect(session.sentByte).toBe(12 * FRAME);
  expect(session.ackedByte).toBe(10 * FRAME);
  expect(session.hasRepeats).toBe(true);
  expect(session.timeline.toLegMs(9 * FRAME_MS)).toBe(9 * FRAME_MS);
  expect(session.timeline.toLegMs(12 * FRAME_MS)).toBe(8 * FRAME_MS);
});

test('the doubt ends with one answer: the next loss starts from there', () => {
  const session = lostOnce();
  session.sent(FRAME);
  session.acknowledge({ fromByte: 6 * FRAME, toByte: 7 * FRAME });
  session.sent(FRAME);
  session.beginSocket();
  session.sent(FRAME);
  session.acknowledge({ fromByte: 8 * FRAME, toByte: 9 * FRAME });
  expect(session.sentByte).toBe(8 * FRAME);
});
