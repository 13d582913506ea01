import { Continuity, type ContinuityOptions } from '../../../runtime/continuity/continuity';
import type { StreamOfCall } from '../../../runtime/continuity/stream-starter';
import { Metrics } from '../../../runtime/observability/metrics';
import type { LegRecord } from '../../../runtime/store/live-leg';
import { legRecord } from '../../support/leg-record';
import { recordLog } from '../../support/recorded-log';

const EVENT = { callSid: 'CA0a', streamSid: 'MZ1', accountSid: 'AC1', streamEvent: 'stream-error' } as const;

let continuity: Continuity;
afterEach(() => continuity.close());

/** A task without legs, as Twilio tells it of a stream that is lost. @returns what is asked of Twilio, and the reads */
function told(store: {
  findLeg: () => Promise<LegRecord | undefined>;
  legsOfCall?: () => Promise<readonly LegRecord[]>;
  readCall?: () => Promise<unknown>;
}): { readonly asked: Promise<StreamOfCall>; readonly streams: StreamOfCall[] } {
  const streams: StreamOfCall[] = [];
  let ask: (stream: StreamOfCall) => void = () => undefined;
  const asked = new Promise<StreamOfCall>((resolve) => (ask = resolve));
  const options = {
    leases: {
      renew: async () => undefined,
      release: async () => undefined,
      deadTasks: async () => [],
      expiredLegs: async () => [],
      claimStream: async () => true,
      legsOfCall: async () => [],
      ...store,
    },
    mail: { takeReplaced: async () => undefined },
    reader: { readCall: store.readCall ?? (async () => undefined) },
    calls: { checkpoints: () => [], streaming: [], hasHad: () => false },
    starter: {
      async start(stream: StreamOfCall) {
        streams.push(stream);
        ask(stream);
        return 'MZ9';
      },
    },
    tracks: ['inbound', 'outbound'],
    timing: { renewRetryMs: 1, claimMs: 100, startPollMs: 1, startWithinMs: 20 },
    now: () => performance.now(),
    wallNow: Date.now,
    random: Math.random,
    logger: recordLog().logger,
    metrics: new Metrics(),
  };
  continuity = new Continuity(options as unknown as ContinuityOptions);
  continuity.onStreamStatus(EVENT);
  return { asked, streams };
}

/** Fails for some times, and gives this then. */
function after<Result>(failures: number, result: Result): () => Promise<Result> {
  let calls = 0;
  return async () => {
    calls += 1;
    if (calls <= failures) throw new Error('the store is away');
    return result;
  };
}

test('A task that does not know whose a lost stream was makes no new one while the store is away', async () => {
  let looks = 0;
  let look: () => void = () => undefined;
  const looked = new Promise<void>((resolve) => (look = resolve));
  const findLeg = async (): Promise<never> => {
    if ((looks += 1) === 5) look();
    throw new Error('the store is away');
  };
  const { streams } = told({ findLeg });
  await looked;
  expect(streams).toEqual([]);
});

test('A lost stream is made anew with all its parameters when the store answers again', async () => {
  const { asked } = told({ findLeg: after(3, legRecord({ parameters: { from: '+15005550006' } })) });
  expect((await asked).parameters).toMatchObject({ from: '+15005550006' });
});

test('A refused stream is made anew when the store answers again, unless the call is heard', async () => {
  const { asked } = told({ findLeg: after(2, undefined), legsOfCall: after(2, []) });
  expect(await asked).toMatchObject({ callSid: 'CA0a', tracks: ['inbound', 'outbound'] });
});

test('A refused stream is made anew while the one before still stops, with its parameters', async () => {
  const stopping = legRecord({ streamSid: 'MZ0', isStopping: true, parameters: { language: 'de' } });
  const { asked } = told({ findLeg: after(0, undefined), legsOfCall: after(0, [stopping]) });
  expect((await asked).parameters).toMatchObject({ language: 'de' });
});

test('A stream that its task ended, because it cost too much, is not made anew', async () => {
  const ended = { call: { legs: { MZ1: { endedAt: '2026-11-21T12:00:00.000Z', endReason: 'idle' } } } };
  const { asked, streams } = told({ findLeg: after(0, undefined), readCall: async () => ended });
  continuity.onStreamStatus({ ...EVENT, streamSid: 'MZ2' });
  await asked;
  expect(streams).toMatchObject([{ streamSid: 'MZ2' }]);
});
