import type { LiveLeg } from '../../../runtime/call/calls';
import type { LegState } from '../../../runtime/call/leg-state';
import { HandOver, type HandOverOptions } from '../../../runtime/continuity/hand-over';
import { Metrics } from '../../../runtime/observability/metrics';
import { TwilioRestError } from '../../../runtime/twilio/twilio-rest';
import { recordLog } from '../../support/recorded-log';

/** A leg that does what the test says. */
class FakeLeg {
  readonly start = {
    type: 'started' as const,
    callSid: 'CA1',
    streamSid: 'MZ1',
    accountSid: 'AC1',
    tracks: ['inbound' as const],
    parameters: {},
  };
  readonly closed: Promise<void>;
  readonly live: LiveLeg;
  state: LegState = 'streaming';
  isLost = false;
  closedWith: string | undefined;
  #close: () => void = () => undefined;

  constructor() {
    this.closed = new Promise((resolve) => (this.#close = resolve));
    const leg = this;
    const session = {
      start: this.start,
      get state() {
        return leg.state;
      },
      get isLost() {
        return leg.isLost;
      },
      handOver: () => undefined,
    };
    const stream = { closed: this.closed, close: (reason: string) => this.end(reason) };
    this.live = { session, stream } as unknown as LiveLeg;
  }

  end(reason: string): void {
    this.closedWith ??= reason;
    this.state = 'finishing';
    this.#close();
  }

  lose(): void {
    this.isLost = true;
    this.end('stream-lost');
  }
}

interface Played {
  readonly handOver: HandOver;
  /** Of the calls of `reattach`. */
  readonly signs: string[];
}

function handOverWith(options: Partial<HandOverOptions>): Played {
  const signs: string[] = [];
  const handOver = new HandOver({
    store: {
      announceHandOver: async () => undefined,
      handOverProof: async () => undefined,
      withdrawHandOver: async () => true,
    },
    starter: { start: async () => 'MZ2', stop: async () => undefined },
    forgo: async () => undefined,
    reattach: async (_start, sign) => void signs.push(sign),
    proofPollMs: 1,
    proofWithinMs: 20,
    stopWithinMs: 1,
    backOffMs: 1,
    now: () => performance.now(),
    wallNow: Date.now,
    random: Math.random,
    logger: recordLog().logger,
    metrics: new Metrics(),
    ...options,
  });
  return { handOver, signs };
}

describe('A call whose socket is cut during an attempt to hand it over', () => {
  test('gets a new stream, when Twilio refuses the second one', async () => {
    const leg = new FakeLeg();
    const start = async (): Promise<string> => {
      leg.lose();
      throw new TwilioRestError('refused', { status: 400 });
    };
    const { handOver, signs } = handOverWith({ starter: { start, stop: async () => undefined } });
    await handOver.handOver(leg.live, new AbortController().signal);
    expect(signs).toEqual(['socket-lost']);
  });

  test('gets a new stream, when the time is up', async () => {
    const leg = new FakeLeg();
    const timeIsUp = new AbortController();
    const start = async (): Promise<string> => {
      leg.lose();
      timeIsUp.abort();
      return 'MZ2';
    };
    const { handOver, signs } = handOverWith({ starter: { start, stop: async () => undefined } });
    await handOver.handOver(leg.live, timeIsUp.signal);
    await handOver.stopFirst(leg.live);
    expect(signs).toEqual(['socket-lost']);
  });

  test('needs no new stream, when the second one has it', async () => {
    const leg = new FakeLeg();
    const handOverProof = async () => {
      leg.lose();
      return { streamSid: 'MZ2', firstAudioAt: '2026-11-21T10:00:00.000Z' };
    };
    const { handOver, signs } = handOverWith({
      store: {
        announceHandOver: async () => undefined,
        handOverProof,
        withdrawHandOver: async () => true,
      },
    });
    await handOver.handOver(leg.live, new AbortController().signal);
    expect(signs).toEqual([]);
    expect(leg.state).toBe('finishing');
  });
});

test('A call whose stream is stopped first gets another one', async () => {
  const leg = new FakeLeg();
  const { handOver, signs } = handOverWith({});
  await handOver.stopFirst(leg.live);
  expect(leg.closedWith).toBe('handed-over');
  expect(signs).toEqual(['stopped-first']);
});

test('Twilio is not asked to stop a stream while it gives no answer: the socket is closed', async () => {
  const leg = new FakeLeg();
  const timeIsUp = new AbortController();
  let stops = 0;
  const starter = {
    async start(): Promise<string> {
      timeIsUp.abort();
      throw new TwilioRestError('timeout');
    },
    async stop(): Promise<void> {
      stops += 1;
    },
  };
  const { handOver, signs } = handOverWith({ starter });
  await handOver.handOver(leg.live, timeIsUp.signal);
  expect(handOver.isUnanswered).toBe(true);
  await handOver.stopFirst(leg.live);
  expect([stops, leg.closedWith, signs]).toEqual([0, 'handed-over', ['stopped-first']]);
});
