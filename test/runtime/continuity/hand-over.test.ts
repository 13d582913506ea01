import type { LiveLeg } from '../../../runtime/call/calls';
import type { LegState } from '../../../runtime/call/leg-state';
import { HandOver, type HandOverOptions } from '../../../runtime/continuity/hand-over';
import { StreamStarter, type StreamOfCall } from '../../../runtime/continuity/stream-starter';
import { Metrics } from '../../../runtime/observability/metrics';
import { TwilioRestError } from '../../../runtime/twilio/twilio-rest';
import { recordLog } from '../../support/recorded-log';

/** A leg that does what the test says. */
class FakeLeg {
  readonly start;
  readonly closed: Promise<void>;
  readonly live: LiveLeg;
  state: LegState = 'streaming';
  isLost = false;
  closedWith: string | undefined;
  #close: () => void = () => undefined;

  constructor(callSid = 'CA1') {
    const [streamSid, accountSid] = [`MZ1-${callSid}`, 'AC1'];
    const tracks = ['inbound' as const];
    this.start = { type: 'started' as const, callSid, streamSid, accountSid, tracks, parameters: {} };
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

/** Every stream's turn comes at once. */
function starterWith(start: () => Promise<string>): HandOverOptions['starter'] {
  return {
    start: async (_stream, isWanted) => (isWanted() ? start() : undefined),
    stop: async () => undefined,
  };
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
    starter: starterWith(async () => 'MZ2'),
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
    const { handOver, signs } = handOverWith({ starter: starterWith(start) });
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
    const { handOver, signs } = handOverWith({ starter: starterWith(start) });
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

test("A call whose stream is stopped first hears what was on its way: Twilio's own close ends the leg", async () => {
  const leg = new FakeLeg();
  const stop = async (): Promise<void> => void setImmediate(() => leg.end('stopped by Twilio'));
  const starter = { ...starterWith(async () => 'MZ2'), stop };
  const { handOver, signs } = handOverWith({ starter, stopWithinMs: 60_000 });
  await handOver.stopFirst(leg.live);
  expect(leg.closedWith).toBe('stopped by Twilio');
  expect(signs).toEqual(['stopped-first']);
});

test('Twilio is not asked to stop a stream while it gives no answer: the socket is closed', async () => {
  const leg = new FakeLeg();
  const timeIsUp = new AbortController();
  let stops = 0;
  const start = async (): Promise<string> => {
    timeIsUp.abort();
    throw new TwilioRestError('timeout');
  };
  const starter = { ...starterWith(start), stop: async () => void (stops += 1) };
  const { handOver, signs } = handOverWith({ starter });
  await handOver.handOver(leg.live, timeIsUp.signal);
  expect(handOver.isUnanswered).toBe(true);
  await handOver.stopFirst(leg.live);
  expect([stops, leg.closedWith, signs]).toEqual([0, 'handed-over', ['stopped-first']]);
});

describe('When a task has more calls than Twilio makes streams in the time for a proof', () => {
  const CREATE_MS = 1_000;
  const PROOF_WITHIN_MS = 10_000;
  /** Ten requests at once: the last one's turn comes after twice the time for a proof. */
  const CALLS = (2 * 10 * PROOF_WITHIN_MS) / CREATE_MS;

  /** Twilio takes a second for each stream, by a clock that only it moves, and another task hears it at once. */
  function herd() {
    let nowMs = 0;
    const made: StreamOfCall[] = [];
    const proven = new Map<string | undefined, string>();
    const looks = { tooEarly: 0 };
    const asked = new Set<string | undefined>();
    const legs = Array.from({ length: CALLS }, (_, at) => new FakeLeg(`CA${at}`));
    const rest = {
      async createStream(
        callSid: string,
        accountSid: string,
        stream: Omit<StreamOfCall, 'callSid' | 'accountSid'>,
      ) {
        const nonce = stream.parameters['handover'];
        made.push({ ...stream, callSid, accountSid });
        asked.add(nonce);
        await new Promise(setImmediate);
        nowMs += CREATE_MS / 10;
        const sid = `MZ2-${callSid}`;
        proven.set(nonce, sid);
        return sid;
      },
      async stopStream(callSid: string) {
        legs.find(({ start }) => start.callSid === callSid)?.end('stopped');
      },
    };
    const starter = new StreamStarter({
      rest,
      tickets: { issue: async () => ({}) },
      publicUrl: 'https://relay.example',
      mediaPath: '/media',
    });
    const store = {
      announceHandOver: async () => undefined,
      async handOverProof(_callSid: string, nonce: string) {
        if (!asked.has(nonce)) looks.tooEarly += 1;
        const streamSid = proven.get(nonce);
        return streamSid === undefined ? undefined : { streamSid, firstAudioAt: '' };
      },
      withdrawHandOver: async () => true,
    };
    const times = { proofWithinMs: PROOF_WITHIN_MS, now: () => nowMs, wallNow: () => nowMs };
    return { legs, made, looks, starter, ...handOverWith({ ...times, store, starter }) };
  }

  test('each call waits for its turn, and gets one new stream', async () => {
    const { handOver, legs, made, looks, signs } = herd();
    const { signal } = new AbortController();
    await Promise.all(legs.map(({ live }) => handOver.handOver(live, signal)));
    expect(legs.map(({ closedWith }) => closedWith)).toEqual(legs.map(() => 'stopped'));
    expect([made.length, signs]).toEqual([CALLS, []]);
    // Of the first ones a request is under way at once.
    expect(looks.tooEarly).toBeLessThanOrEqual(10);
  });

  test('those whose turn has not come when the time is up get no second stream', async () => {
    const { handOver, legs, made } = herd();
    const timeIsUp = new AbortController();
    const done = Promise.all(legs.map(({ live }) => handOver.handOver(live, timeIsUp.signal)));
    while (made.length < 10) await new Promise(setImmediate);
    timeIsUp.abort();
    await done;
    const atMost = made.length;
    expect(atMost).toBeLessThan(CALLS / 2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(made).toHaveLength(atMost);
  });

  test('one that was stopped on purpose before its turn has come stays stopped', async () => {
    const { handOver, legs, made } = herd();
    const { signal } = new AbortController();
    const done = Promise.all(legs.map(({ live }) => handOver.handOver(live, signal)));
    const paused = legs.at(-1);
    paused?.end('paused');
    await done;
    expect(made.map(({ callSid }) => callSid)).not.toContain(paused?.start.callSid);
    expect(made).toHaveLength(CALLS - 1);
  });

  test('a stream is stopped before all others are made', async () => {
    const { starter, legs, made } = herd();
    const starts = legs.map(({ start }) => starter.start(start, () => true));
    await starter.stop({ callSid: 'CA1', accountSid: 'AC1' }, 'MZ1-CA1');
    expect(made.length).toBeLessThan(CALLS);
    await Promise.all(starts);
  });
});
