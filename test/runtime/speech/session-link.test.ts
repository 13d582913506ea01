import { createLogger } from '../../../runtime/observability/logger';
import { Metrics } from '../../../runtime/observability/metrics';
import { AudioBacklog, BacklogBudget } from '../../../runtime/speech/audio-backlog';
import { Attempts } from '../../../runtime/speech/reconnect-policy';
import { RECOGNITION_TIMING } from '../../../runtime/speech/recognition-timing';
import { SessionLink, type LinkEnd } from '../../../runtime/speech/session-link';
import { SpeechSession } from '../../../runtime/speech/speech-session';
import { FakeSpeech, utterance, type FakeSocket } from '../../support/fake-speech';
import { Secret } from '../../../runtime/model/secret';

const FRAME_MS = 20;
const TICK_MS = 250;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** A link whose time, audio and sockets are the test's, and whose ticks come as the relay's do. */
class Bench {
  readonly speech = new FakeSpeech();
  readonly session = new SpeechSession({
    number: 1,
    grant: { sessionId: 's', url: new Secret('ws://x') },
    baseByte: 0,
    bytesPerMs: 8,
  });
  readonly ends: LinkEnd[] = [];
  readonly #backlog = new AudioBacklog({
    budget: new BacklogBudget(1e9),
    maxBytes: 1e8,
    onDropped: () => undefined,
  });
  readonly #link: SessionLink;
  #nowMs = 100_000;

  constructor() {
    const ignore = (): void => undefined;
    this.#link = new SessionLink(
      {
        session: this.session,
        provider: this.speech,
        backlog: this.#backlog,
        attempts: new Attempts(() => 0.99),
        chunkBytes: 160,
        timing: RECOGNITION_TIMING,
        now: () => this.#nowMs,
        logger: createLogger('silent', 2),
        metrics: new Metrics(),
      },
      {
        ...{ opened: ignore, sent: ignore, acknowledged: ignore, heard: ignore, lost: ignore, fault: ignore },
        over: (_link, end) => void this.ends.push(end),
      },
    );
  }

  get socket(): FakeSocket {
    return this.speech.sockets.at(-1)!;
  }

  /** A frame each 20 ms, acknowledged at once or not. */
  speak(ms: number, isAcknowledged: boolean): void {
    for (let atMs = 0; atMs < ms; atMs += FRAME_MS) {
      this.#nowMs += FRAME_MS;
      this.#backlog.append(Buffer.alloc(160));
      this.#link.pump();
      if (isAcknowledged) this.socket.acknowledge(160);
      // The relay looks at its sockets first.
      jest.advanceTimersByTime(FRAME_MS);
      if (Math.floor(this.#nowMs / TICK_MS) > Math.floor((this.#nowMs - FRAME_MS) / TICK_MS))
        this.#link.tick();
    }
  }

  hear(): void {
    const said = { utteranceId: 'u', utterance: utterance(0, 20) };
    this.socket.listener.heard({ type: 'transcript', isFinal: false, ...said });
  }
}

/** Six good seconds, and then the socket is lost with audio in flight. */
function lost(): Bench {
  const bench = new Bench();
  bench.socket.listener.opened();
  bench.speak(6_000, true);
  bench.speak(2 * FRAME_MS, false);
  bench.socket.lose('resume');
  return bench;
}

test('acknowledgments that come with the text after a stall count, whenever the next tick is', () => {
  const bench = new Bench();
  bench.socket.listener.opened();
  bench.speak(6_000, true);
  bench.speak(1_400, false);
  for (let i = 0; i < 1_400 / FRAME_MS; i += 1) bench.socket.acknowledge(160);
  bench.hear();
  expect(bench.session.hasUnacknowledgedText).toBe(false);
});

test('text about audio that stays unacknowledged for a second is noticed', () => {
  const bench = new Bench();
  bench.socket.listener.opened();
  bench.speak(1_400, false);
  bench.hear();
  expect(bench.session.hasUnacknowledgedText).toBe(true);
});

test('what a lost socket took is not what the next one is slow about', () => {
  const bench = lost();
  bench.speak(1_500, false);
  bench.socket.listener.opened();
  bench.hear();
  expect(bench.session.hasUnacknowledgedText).toBe(false);
});

test('a socket that took nine seconds to open gets its time all the same', () => {
  const bench = lost();
  bench.speak(9_000, false);
  bench.socket.listener.opened();
  bench.speak(2_600, false);
  expect(bench.socket.closedAs).toBeUndefined();
  expect(bench.ends).toEqual([]);
});

test('an attempt that failed for ten seconds is no lack of acknowledgments', () => {
  const bench = lost();
  bench.speak(10_800, false);
  bench.socket.lose('resume');
  bench.speak(600, false);
  bench.socket.listener.opened();
  bench.speak(2_600, false);
  expect(bench.ends).toEqual([]);
});

test('a socket on which nothing is acknowledged for ten seconds is given up', () => {
  const bench = new Bench();
  bench.socket.listener.opened();
  bench.speak(6_000, true);
  const { socket } = bench;
  bench.speak(RECOGNITION_TIMING.ackTimeoutMs - TICK_MS, false);
  expect(socket.closedAs).toBeUndefined();
  bench.speak(3 * TICK_MS, false);
  expect(socket.closedAs).toBe('drop');
});
