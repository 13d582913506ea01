import fc from 'fast-check';
import type { LossCause } from '../../../runtime/model/audio-ledger';
import { createLogger } from '../../../runtime/observability/logger';
import { Metrics } from '../../../runtime/observability/metrics';
import { BacklogBudget } from '../../../runtime/speech/audio-backlog';
import { Recognition } from '../../../runtime/speech/recognition';
import { RECOGNITION_TIMING } from '../../../runtime/speech/recognition-timing';
import { SessionSlots } from '../../../runtime/speech/session-slots';
import { seededRandom } from '../../../local/store-faults/seeded-random';
import { FakeSpeech, type FakeSocket } from '../../support/fake-speech';

const BACKLOG_MS = 2_000;
const CAUSES: readonly LossCause[] = [
  'backlog-overflow',
  'session-ended',
  'transcription-failed',
  'relay-stopped',
];
/** Acks and looks go by pieces of this many bytes: long enough to be found at one place only. */
const PIECE_BYTES = 16;

/** What may happen to a leg, in any order. */
type Step =
  | { readonly act: 'speak'; readonly frames: number }
  | { readonly act: 'wait'; readonly ms: number }
  | { readonly act: 'acknowledge' | 'say'; readonly share: number }
  | { readonly act: 'drop' | 'end session' | 'refuse' | 'refuse for good' | 'abort' };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({ act: fc.constant('speak'), frames: fc.integer({ min: 1, max: 60 }) }),
  },
  { weight: 10, arbitrary: fc.record({ act: fc.constant('wait'), ms: fc.integer({ min: 1, max: 8_000 }) }) },
  { weight: 25, arbitrary: fc.record({ act: fc.constant('acknowledge'), share }) },
  { weight: 15, arbitrary: fc.record({ act: fc.constant('say'), share }) },
  { weight: 15, arbitrary: fc.constant({ act: 'drop' }) },
  { weight: 10, arbitrary: fc.constant({ act: 'end session' }) },
  { weight: 5, arbitrary: fc.constant({ act: 'refuse' }) },
  { weight: 1, arbitrary: fc.constant({ act: 'refuse for good' }) },
  { weight: 1, arbitrary: fc.constant({ act: 'abort' }) },
) as fc.Arbitrary<Step>;

interface Schedule {
  readonly steps: readonly Step[];
  readonly seed: number;
  readonly channels: 1 | 2;
  /** After a drop, the service has what it got and did not acknowledge: the reference does not say. */
  readonly keepsUnacknowledged: boolean;
  /** Final results can be had. */
  readonly tellsResults: boolean;
}

const schedule: fc.Arbitrary<Schedule> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 40 }),
  seed: fc.nat(1_000_000),
  channels: fc.constantFrom(1, 2),
  keepsUnacknowledged: fc.boolean(),
  tellsResults: fc.boolean(),
});

/** A speech service that goes by its own books, and a leg that is heard by it. */
class HeardLeg {
  readonly spoken: Buffer[] = [];
  readonly recognition: Recognition;
  readonly #speech = new FakeSpeech();
  readonly #schedule: Schedule;
  readonly #random: () => number;
  /** What each session has, by its own account. */
  readonly #held = new Map<string, Buffer>();
  readonly #opened = new Set<FakeSocket>();
  readonly #acknowledged = new Map<FakeSocket, number>();
  readonly #saidMs = new Map<string, number>();
  #utterances = 0;
  #nowMs = 1_000_000;

  constructor(given: Schedule) {
    this.#schedule = given;
    this.#random = seededRandom(given.seed);
    const quick = { baseMs: 0, capMs: 0 };
    const timing = { ...RECOGNITION_TIMING, backOff: quick, deadSessionBackOff: quick, resultBackOff: quick };
    const ignore = (): void => undefined;
    this.recognition = new Recognition(
      {
        provider: this.#speech,
        request: { callSid: 'CA1', streamSid: 'MZ1', channels: given.channels },
        chunkMs: 20,
        backlogCallMs: BACKLOG_MS,
        budget: new BacklogBudget(1e9),
        slots: new SessionSlots(Infinity),
        timing,
        now: () => this.#nowMs,
        random: () => 0,
        logger: createLogger('silent', 2),
        metrics: new Metrics(),
      },
      {
        ...{ sessionOpened: ignore, partial: ignore, final: ignore, addOn: ignore, summary: ignore },
        sessionClosed: ignore,
      },
    );
  }

  get heldByService(): readonly Buffer[] {
    return [...this.#held.values()];
  }

  async play({ act, ...given }: Step): Promise<void> {
    await turn();
    const socket = this.#socket();
    if (act === 'speak' && 'frames' in given) this.#speak(given.frames);
    if (act === 'wait' && 'ms' in given) this.#nowMs += given.ms;
    if (act === 'acknowledge' && 'share' in given && socket) this.#acknowledge(socket, given.share);
    if (act === 'say' && 'share' in given && socket) this.#say(socket, given.share);
    if (act === 'drop' && socket) this.#lose(socket, 'resume');
    if (act === 'end session' && socket) this.#lose(socket, 'new-session');
    if (act === 'refuse') this.#speech.refusals.push({ code: 'http-500', retryable: true });
    if (act === 'refuse for good') this.#speech.refusals.push({ code: 'http-402', retryable: false });
    if (act === 'abort') this.recognition.abort('relay-stopped');
    this.recognition.tick();
  }

  /** No more comes, and the service ends what is left in good order. */
  async end(): Promise<void> {
    this.recognition.finish();
    let isClosed = false;
    void this.recognition.closed.then(() => (isClosed = true));
    while (!isClosed) {
      await turn();
      this.recognition.tick();
      const socket = this.#socket();
      if (socket === undefined) continue;
      this.#acknowledge(socket, 1);
      if (socket.isStopped && this.#acknowledged.get(socket) === socket.sentBytes) this.#lose(socket, 'done');
    }
  }

  /** The socket in use, opened. */
  #socket(): FakeSocket | undefined {
    const socket = this.#speech.sockets.at(-1);
    if (socket === undefined || socket.closedAs !== undefined) return undefined;
    if (!this.#opened.has(socket)) {
      this.#opened.add(socket);
      socket.listener.opened();
    }
    return socket;
  }

  #speak(frames: number): void {
    for (let i = 0; i < frames; i += 1) {
      const frame = Buffer.from(
        Array.from({ length: 160 * this.#schedule.channels }, () => Math.floor(this.#random() * 256)),
      );
      this.spoken.push(frame);
      this.#nowMs += 20;
      this.recognition.sendAudio(frame, this.#nowMs);
    }
  }

  #acknowledge(socket: FakeSocket, part: number): void {
    const before = this.#acknowledged.get(socket) ?? 0;
    const bytes = Math.floor(((socket.sentBytes - before) * part) / PIECE_BYTES) * PIECE_BYTES;
    this.#acknowledged.set(socket, before + bytes);
    const { sessionId } = socket.grant;
    const held = this.#held.get(sessionId) ?? Buffer.alloc(0);
    const taken = Buffer.concat(socket.sent).subarray(before, before + bytes);
    this.#held.set(sessionId, Buffer.concat([held, taken]));
    this.#noteResult(sessionId);
    if (bytes > 0) socket.acknowledge(bytes);
  }

  #say(socket: FakeSocket, part: number): void {
    const { sessionId } = socket.grant;
    const heldMs = (this.#held.get(sessionId)?.length ?? 0) / 8 / this.#schedule.channels;
    const fromMs = this.#saidMs.get(sessionId) ?? 0;
    const toMs = fromMs + (heldMs - fromMs) * part;
    if (toMs <= fromMs) return;
    this.#saidMs.set(sessionId, toMs);
    this.#utterances += 1;
    socket.final(`u${this.#utterances}`, fromMs, toMs, this.#utterances % this.#schedule.channels);
  }

  #lose(socket: FakeSocket, decision: 'resume' | 'new-session' | 'done'): void {
    if (decision === 'resume' && this.#schedule.keepsUnacknowledged) {
      const unacknowledged = Buffer.concat(socket.sent).subarray(this.#acknowledged.get(socket) ?? 0);
      const { sessionId } = socket.grant;
      this.#held.set(
        sessionId,
        Buffer.concat([this.#held.get(sessionId) ?? Buffer.alloc(0), unacknowledged]),
      );
      this.#noteResult(sessionId);
    }
    socket.lose(decision, decision === 'done' ? 1000 : decision === 'resume' ? 1006 : 4408);
    socket.closedAs ??= 'drop';
  }

  #noteResult(sessionId: string): void {
    if (!this.#schedule.tellsResults) return;
    const audioSeconds = (this.#held.get(sessionId)?.length ?? 0) / 8_000 / this.#schedule.channels;
    const facts = { status: 'done', audioSeconds, languages: [] };
    this.#speech.results.set(sessionId, { facts, utterances: [] });
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Pieces of the leg's audio from `fromByte` to `toByte` that no session has. */
function missing(leg: HeardLeg, fromByte: number, toByte: number): number {
  const audio = Buffer.concat(leg.spoken);
  let pieces = 0;
  for (let byte = fromByte; byte + PIECE_BYTES <= toByte; byte += PIECE_BYTES) {
    const piece = audio.subarray(byte, byte + PIECE_BYTES);
    if (!leg.heldByService.some((held) => held.includes(piece))) pieces += 1;
  }
  return pieces;
}

test('whatever happens, each byte has one fate, and what is accepted is with the service', async () => {
  await fc.assert(
    fc.asyncProperty(schedule, async (given) => {
      const leg = new HeardLeg(given);
      for (const each of given.steps) await leg.play(each);
      await leg.end();
      const { account } = leg.recognition;
      const spokenBytes = leg.spoken.reduce((sum, { length }) => sum + length, 0);
      const lost = CAUSES.map((cause) => account.total('lost', cause));
      const fates = [account.total('accepted'), account.total('late'), account.total('unconfirmed'), ...lost];
      expect(fates.reduce((sum, bytes) => sum + bytes, 0)).toBe(spokenBytes);
      expect(account.endByte).toBe(spokenBytes);
      const accepted = account.stretches.filter(
        ({ fate: { kind } }) => kind === 'accepted' || kind === 'late',
      );
      expect(accepted.map(({ fromByte, toByte }) => missing(leg, fromByte, toByte))).toEqual(
        accepted.map(() => 0),
      );
    }),
    // A schedule that never ends is named.
    { numRuns: 150, timeout: 10_000 },
  );
});

test('without a fault all is accepted', async () => {
  const speak = { act: 'speak', frames: 30 } as const;
  const hear = { act: 'acknowledge', share: 1 } as const;
  const steps = [speak, hear, speak, hear];
  const leg = new HeardLeg({ steps, seed: 1, channels: 2, keepsUnacknowledged: false, tellsResults: true });
  for (const each of steps) await leg.play(each);
  await leg.end();
  expect(leg.recognition.account.total('accepted')).toBe(60 * 320);
});

test('audio that a lost socket took, and that is not kept to be sent again, is not taken for accepted', async () => {
  const steps = [{ act: 'speak', frames: 101 }, { act: 'drop' }] as const;
  const leg = new HeardLeg({ steps, seed: 1, channels: 2, keepsUnacknowledged: false, tellsResults: true });
  for (const each of steps) await leg.play(each);
  await leg.end();
  const { account } = leg.recognition;
  expect(account.total('unconfirmed')).toBeGreaterThan(0);
  expect(account.total('accepted') + account.total('unconfirmed')).toBe(101 * 320);
});
