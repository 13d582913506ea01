import fc from 'fast-check';
import { Secret } from '../../../runtime/model/secret';
import { SpeechSession } from '../../../runtime/speech/speech-session';

const FRAME_BYTES = 160;
const FRAMES = 400;

/** One socket of a session, up to the message behind which it is cut. */
interface SocketPlan {
  readonly messages: number;
  /** Acks that were on their way when it was cut. */
  readonly acksUnderWay: number;
}

interface Plan {
  readonly sockets: readonly SocketPlan[];
  /** After a cut, what was not acknowledged counts, or it does not (gladia-live.md, 4.4: UNKNOWN). */
  readonly keepsUnacknowledged: boolean;
  /** Every so many acks are never sent; 0: none. */
  readonly ackMissingEvery: number;
  /** Offsets begin anew on each socket; time runs on. */
  readonly offsetsPerSocket: boolean;
  readonly catchesUpBy: number;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  sockets: fc.array(fc.record({ messages: fc.nat(40), acksUnderWay: fc.nat(12) }), { maxLength: 40 }),
  keepsUnacknowledged: fc.boolean(),
  ackMissingEvery: fc.constantFrom(0, 0, 2, 5, 7),
  offsetsPerSocket: fc.boolean(),
  catchesUpBy: fc.integer({ min: 1, max: 20 }),
});

/** A service that goes by its own books: which frames of the leg it has, in the order in which it took them. */
class Service {
  readonly held: number[] = [];
  #ackedFrames = 0;
  #socketBeganAt = 0;
  #acks = 0;

  constructor(readonly given: Plan) {}

  /** @returns the ack of the message, if one is sent */
  take(frames: readonly number[]): { fromByte: number; toByte: number; fromMs: number } | undefined {
    const from = this.held.length;
    this.held.push(...frames);
    this.#acks += 1;
    if (this.given.ackMissingEvery > 0 && this.#acks % this.given.ackMissingEvery === 0) return undefined;
    this.#ackedFrames = this.held.length;
    const zero = this.given.offsetsPerSocket ? this.#socketBeganAt : 0;
    return {
      fromByte: (from - zero) * FRAME_BYTES,
      toByte: (this.held.length - zero) * FRAME_BYTES,
      fromMs: from * 20,
    };
  }

  cut(): void {
    if (!this.given.keepsUnacknowledged) this.held.length = this.#ackedFrames;
    this.#ackedFrames = this.held.length;
    this.#socketBeganAt = this.held.length;
  }
}

/** Sends up to `messages` messages on a socket, as the link does. */
function sendOn(session: SpeechSession, service: Service, { messages, acksUnderWay }: SocketPlan): void {
  session.beginSocket();
  const underWay: (ReturnType<Service['take']> & object)[] = [];
  for (let sent = 0; sent < messages; sent += 1) {
    const at = session.sentByte / FRAME_BYTES;
    if (at >= FRAMES) break;
    const isProbe = session.mustProbe;
    const frames = isProbe ? 1 : Math.min(service.given.catchesUpBy, FRAMES - at);
    session.sent(frames * FRAME_BYTES);
    const ack = service.take(Array.from({ length: frames }, (_, i) => at + i));
    if (ack !== undefined) underWay.push(ack);
    // Nobody but the answer ends a question, or the time it may take.
    if (isProbe && sent + 1 < messages) {
      if (ack === undefined) session.endProbe();
      else session.acknowledge(underWay.pop() ?? ack);
    }
    while (underWay.length > acksUnderWay) session.acknowledge(underWay.shift()!);
  }
}

test('however often a session is resumed, the service has everything in the end, and its length says so', () => {
  fc.assert(
    fc.property(plan, (given) => {
      const grant = { sessionId: 's', url: new Secret('ws://x') };
      const session = new SpeechSession({ number: 1, grant, baseByte: 0, bytesPerMs: 8 });
      const service = new Service(given);
      for (const socket of given.sockets) {
        sendOn(session, service, socket);
        service.cut();
      }
      sendOn(session, service, { messages: Infinity, acksUnderWay: 0 });
      const missing = Array.from({ length: FRAMES }, (_, i) => i).filter((i) => !service.held.includes(i));
      expect(missing).toEqual([]);
      session.reportDuration('metadata.audio_duration', service.held.length * 20);
      expect(session.isWholeByDuration).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
