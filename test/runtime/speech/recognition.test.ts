import { createLogger } from '../../../runtime/observability/logger';
import { Metrics } from '../../../runtime/observability/metrics';
import { BacklogBudget } from '../../../runtime/speech/audio-backlog';
import { Recognition, type HeardUtterance } from '../../../runtime/speech/recognition';
import { RECOGNITION_TIMING, type RecognitionTiming } from '../../../runtime/speech/recognition-timing';
import { SessionSlots } from '../../../runtime/speech/session-slots';
import { SpeechError, type SessionResult } from '../../../runtime/speech/speech-provider';
import { FakeSpeech, utterance } from '../../support/fake-speech';

const TIMING: RecognitionTiming = {
  ...RECOGNITION_TIMING,
  backOff: { baseMs: 0, capMs: 0 },
  deadSessionBackOff: { baseMs: 0, capMs: 0 },
  resultBackOff: { baseMs: 0, capMs: 0 },
};

function recognition({ channels = 1, timing = {} as Partial<RecognitionTiming> } = {}) {
  const speech = new FakeSpeech();
  const metrics = new Metrics();
  const time = { nowMs: 1_000_000 };
  const slots = new SessionSlots(Infinity);
  const finals: { heard: HeardUtterance; source: string }[] = [];
  const told = { addOns: 0, summaries: [] as string[], closed: [] as (string | undefined)[] };
  const target = new Recognition(
    {
      provider: speech,
      request: { callSid: 'CA1', streamSid: 'MZ1', channels },
      chunkMs: 20,
      backlogCallMs: 600_000,
      budget: new BacklogBudget(1e9),
      slots,
      timing: { ...TIMING, ...timing },
      now: () => time.nowMs,
      random: () => 0,
      logger: createLogger('silent', 2),
      metrics,
    },
    {
      sessionOpened: () => undefined,
      partial: () => undefined,
      final: (heard, source) => finals.push({ heard, source }),
      addOn: () => (told.addOns += 1),
      summary: (_session, text) => told.summaries.push(text),
      sessionClosed: (session, facts) => told.closed.push(facts && session.grant.sessionId),
    },
  );
  /** Seconds of audio, a hundred frames at a time. */
  const speak = (seconds: number): void => {
    for (let i = 0; i < seconds * 50; i += 1) {
      time.nowMs += 20;
      target.sendAudio(Buffer.alloc(160 * channels, i % 127), time.nowMs);
    }
  };
  const heardMs = () => finals.map(({ heard: { startMs, endMs } }) => [startMs, endMs]);
  return { target, speech, metrics, time, slots, finals, told, speak, heardMs };
}

function resultOf(audioSeconds: number, ...utterances: SessionResult['utterances']): SessionResult {
  return { facts: { status: 'done', audioSeconds, languages: ['en'] }, utterances };
}

const second = 8_000;

describe('a new session', () => {
  test.each([
    [30_000, 70],
    [5_000, 65],
  ])(
    'gets everything that was not acknowledged, however long none could be had (%i ms of text in doubt are kept)',
    async (keepUnsettledMs, seconds) => {
      const { target, speech, speak } = recognition({ timing: { keepUnsettledMs } });
      const first = await speech.open(0);
      speak(10);
      first.acknowledge(10 * second);
      first.lose('new-session', 4408);
      speak(60);
      const next = await speech.open(1);
      target.tick();
      expect(next.sentBytes).toBe(seconds * second);
      expect(target.account.total('lost', 'session-ended')).toBe(0);
    },
  );

  test('gets what is not text yet, although it was acknowledged', async () => {
    const { speech, speak, target } = recognition();
    const first = await speech.open(0);
    speak(10);
    first.acknowledge(10 * second);
    first.final('a', 1_000, 4_000);
    first.lose('new-session', 4403);
    const next = await speech.open(1);
    target.tick();
    expect(next.sentBytes).toBe(6 * second);
  });

  test('is sent nothing and told to stop when a final claims more than was ever sent', async () => {
    const { speech, speak, target } = recognition();
    const first = await speech.open(0);
    speak(1);
    first.acknowledge(second);
    first.final('a', 0, 1_010);
    target.finish();
    first.lose('new-session', 4408);
    expect(target.state).toBe('closed');
    const late = recognition();
    const socket = await late.speech.open(0);
    late.speak(1);
    socket.acknowledge(second);
    socket.final('a', 0, 1_000_000_000);
    socket.lose('new-session', 4408);
    late.speak(2);
    const next = await late.speech.open(1);
    late.target.tick();
    expect(next.sentBytes).toBe(2 * second);
    expect(next.sent.every(({ length }) => length > 0)).toBe(true);
  });

  test('does not repeat what the first one said, live or in its result', async () => {
    const { speech, speak, heardMs, target } = recognition({ channels: 2 });
    const first = await speech.open(0);
    speak(20);
    first.acknowledge(20 * 2 * second);
    first.final('a', 10_000, 19_000, 0);
    first.lose('new-session', 4408);
    const next = await speech.open(1);
    next.final('a', 10_000, 19_000, 0);
    next.acknowledge(20 * 2 * second);
    speech.results.set('session-2', resultOf(20, utterance(10_000, 19_000, 0)));
    target.finish();
    next.lose('done', 1000);
    await target.closed;
    expect(heardMs()).toEqual([[10_000, 19_000]]);
  });

  test('leaves to the first one what only its result has, also when that comes before the new one begins', async () => {
    const { speech, speak, finals, target } = recognition({ timing: { keepUnsettledMs: 5_000 } });
    const first = await speech.open(0);
    speak(40);
    first.acknowledge(40 * second);
    first.final('a', 0, 20_000);
    speech.results.set('session-1', resultOf(40, utterance(0, 20_000), utterance(28_000, 32_000)));
    speech.refusals.push(...Array.from({ length: 5 }, () => ({ code: 'http-429', retryable: true })));
    first.lose('new-session', 4408);
    speak(30);
    const next = await speech.open(1);
    target.tick();
    next.acknowledge(next.sentBytes);
    target.finish();
    next.lose('done', 1000);
    await target.closed;
    expect(finals.map(({ heard, source }) => [heard.startMs, source])).toEqual([
      [0, 'live'],
      [28_000, 'recovered'],
    ]);
  });

  test('is not asked for its result when it never answered', async () => {
    const { speech, speak, target } = recognition();
    speak(1);
    for (let i = 0; i < 20; i += 1) (await speech.open(i)).lose('new-session', 4403);
    await speech.open(20);
    expect(speech.resultRequests).toBe(0);
    target.abort('relay-stopped');
  });

  test('ends the old one at the service when resuming that was given up', async () => {
    const { speech, speak, time, target } = recognition();
    const first = await speech.open(0);
    speak(1);
    first.acknowledge(second);
    first.lose('resume');
    time.nowMs += 1;
    const again = await speech.socket(1);
    time.nowMs += TIMING.resumeForMs;
    again.lose('resume');
    const ending = await speech.open(2);
    expect(ending.grant.sessionId).toBe('session-1');
    expect(ending.closedAs).toBe('end');
    expect((await speech.socket(3)).grant.sessionId).toBe('session-2');
    target.abort('relay-stopped');
  });
});

describe('the end', () => {
  test('waits for the last words, and is whole when the session ended well with all of it', async () => {
    const { speech, speak, target, heardMs } = recognition();
    const socket = await speech.open(0);
    speak(2);
    target.finish();
    expect(socket.isStopped).toBe(true);
    socket.acknowledge(2 * second);
    socket.final('a', 500, 1_500);
    socket.listener.heard({ type: 'duration', durationMs: 2_000, source: 'metadata.audio_duration' });
    speech.results.set('session-1', resultOf(2, utterance(500, 1_500)));
    socket.lose('done', 1000);
    await target.closed;
    expect(heardMs()).toEqual([[500, 1_500]]);
    expect(target.account.total('accepted')).toBe(2 * second);
  });

  test('tells the summary of the result when none came live', async () => {
    const { speech, speak, target, told } = recognition();
    const socket = await speech.open(0);
    speak(1);
    socket.acknowledge(second);
    speech.results.set('session-1', { ...resultOf(1), summary: 'They agreed.' });
    target.finish();
    socket.lose('done', 1000);
    await target.closed;
    expect(told.summaries).toEqual(['They agreed.']);
  });

  test('does not take a session that the service failed for transcribed', async () => {
    const { speech, speak, target, told } = recognition();
    const socket = await speech.open(0);
    speak(1);
    socket.acknowledge(second);
    speech.results.set('session-1', new SpeechError('failed', { code: 'session-failed', retryable: false }));
    target.finish();
    socket.lose('done', 1000);
    await target.closed;
    expect(target.account.total('unconfirmed')).toBe(second);
    expect(told.closed).toEqual([undefined]);
  });

  test('gives its slot back when a session is refused after it', async () => {
    const { target, slots, speech } = recognition();
    speech.refusals.push({ code: 'http-500', retryable: true });
    target.finish();
    await target.closed;
    await new Promise(setImmediate);
    expect(slots.taken).toBe(0);
  });

  test('ends a session that comes after it', async () => {
    const { target, speech } = recognition();
    let answer: () => void = () => undefined;
    speech.gate = new Promise((resolve) => (answer = resolve));
    await new Promise(setImmediate);
    target.finish();
    answer();
    const socket = await speech.open(0);
    expect(socket.closedAs).toBe('end');
  });

  test('comes at once when aborted, and what was not acknowledged is written down as lost', async () => {
    const { target, speech, speak } = recognition();
    const socket = await speech.open(0);
    speak(1);
    socket.lose('resume');
    speak(1);
    target.abort('relay-stopped');
    target.abort('relay-stopped');
    await target.closed;
    expect(target.account.total('unconfirmed')).toBe(second);
    expect(target.account.total('lost', 'relay-stopped')).toBe(second);
    expect(target.account.endByte).toBe(2 * second);
  });
});

describe('a session whose result has less audio than it was sent', () => {
  const ONE_SENT = { unacknowledgedSeconds: 5, heldSeconds: 100 };

  /** A hundred seconds acknowledged, and some more sent, when the service ends the session. */
  async function cut({ unacknowledgedSeconds, heldSeconds }: typeof ONE_SENT) {
    const all = recognition({ timing: { lateAfterMs: Infinity } });
    const { speech, speak } = all;
    const socket = await speech.open(0);
    speak(100);
    socket.acknowledge(100 * second);
    socket.final('a', 0, 98_000);
    speak(unacknowledgedSeconds);
    speech.results.set('session-1', resultOf(heldSeconds, utterance(0, 98_000)));
    return { ...all, socket };
  }

  test('has nothing lost when the next session got the rest', async () => {
    const { speech, target, socket } = await cut(ONE_SENT);
    socket.lose('new-session', 4408);
    const next = await speech.open(1);
    target.tick();
    expect(next.sentBytes).toBe(7 * second);
    next.acknowledge(next.sentBytes);
    target.finish();
    speech.results.set('session-2', resultOf(7));
    next.lose('done', 1000);
    await target.closed;
    expect(target.account.total('accepted')).toBe(105 * second);
    expect(target.account.endByte).toBe(105 * second);
  });

  test('has nothing lost when the next session got the rest after the end', async () => {
    const { speech, target, socket } = await cut(ONE_SENT);
    target.finish();
    socket.lose('new-session', 4408);
    const next = await speech.open(1);
    target.tick();
    next.acknowledge(next.sentBytes);
    speech.results.set('session-2', resultOf(7));
    next.lose('done', 1000);
    await target.closed;
    expect(target.account.total('accepted')).toBe(105 * second);
  });

  test('has what it acknowledged when there is no next session', async () => {
    const { speech, target, socket } = await cut(ONE_SENT);
    speech.refusals.push({ code: 'http-402', retryable: false });
    socket.lose('new-session', 4408);
    await target.closed;
    expect(target.account.total('accepted')).toBe(100 * second);
    expect(target.account.total('unconfirmed')).toBe(5 * second);
  });

  test('has lost what is missing at its end, and no more', async () => {
    const { target, socket } = await cut({ unacknowledgedSeconds: 0, heldSeconds: 60 });
    target.finish();
    socket.lose('done', 1000);
    await target.closed;
    expect(target.account.stretches).toEqual([
      { fromByte: 0, toByte: 60 * second, fate: { kind: 'accepted' } },
      { fromByte: 60 * second, toByte: 100 * second, fate: { kind: 'lost', cause: 'session-ended' } },
    ]);
  });
});

describe('the current session', () => {
  test('is there from its first socket to its end, with its place in the leg', async () => {
    const { speech, speak, target } = recognition();
    expect(target.currentSession).toBeUndefined();
    const first = await speech.open(0);
    expect(target.currentSession).toMatchObject({ sessionId: 'session-1', sessionNumber: 1, baseMs: 0 });
    expect(target.currentSession!.url.reveal()).toBe('ws://secret');
    speak(10);
    first.acknowledge(10 * second);
    first.final('a', 1_000, 4_000);
    first.lose('resume');
    expect(target.currentSession).toMatchObject({ sessionId: 'session-1' });
    const again = await speech.open(1);
    again.lose('new-session', 4403);
    expect(target.currentSession).toBeUndefined();
    await speech.open(2);
    expect(target.currentSession).toMatchObject({ sessionId: 'session-2', sessionNumber: 2, baseMs: 4_000 });
    target.abort('relay-stopped');
    expect(target.currentSession).toBeUndefined();
  });
});

test('an add-on of a repeated final is not told again', async () => {
  const { speech, speak, told, target } = recognition();
  const first = await speech.open(0);
  speak(4);
  first.acknowledge(4 * second);
  first.final('a', 1_000, 3_900);
  first.lose('new-session', 4403);
  const next = await speech.open(1);
  next.final('b', -2_800, 50);
  const addOn = { kind: 'sentiment', utteranceId: 'b', utterance: utterance(0, 50), value: [] } as const;
  next.listener.heard({ type: 'add-on', addOn });
  expect(told.addOns).toBe(0);
  target.abort('relay-stopped');
});
