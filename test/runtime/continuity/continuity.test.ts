import { Continuity, type ContinuityOptions } from '../../../runtime/continuity/continuity';
import type { StreamOfCall } from '../../../runtime/continuity/stream-starter';
import type { LegStart } from '../../../runtime/model/call-event';
import type { LegId } from '../../../runtime/model/transcript-event';
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
  saveLegs?: (records: readonly LegRecord[]) => Promise<readonly LegRecord[]>;
  deleteLegs?: (legs: readonly LegId[]) => Promise<void>;
  proveHandOver?: () => Promise<boolean>;
  calls?: object;
  /** How Twilio answers. */
  start?: () => Promise<string>;
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
    calls: store.calls ?? { checkpoints: () => [], streaming: [], hasHad: () => false },
    isFlushed: () => true,
    isReconciled: () => true,
    starter: {
      async start(stream: StreamOfCall) {
        streams.push(stream);
        ask(stream);
        return store.start?.() ?? 'MZ9';
      },
    },
    tracks: ['inbound', 'outbound'],
    timing: { renewRetryMs: 1, claimMs: 20_000, startPollMs: 1, startWithinMs: 20, saveSoonMs: 1 },
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

test('A lost stream whose call has no other when its task ends is left for another task, which is told', async () => {
  const start = { ...legRecord(), type: 'started' as const };
  let save: (records: readonly LegRecord[]) => void = () => undefined;
  const saved = new Promise<readonly LegRecord[]>((resolve) => (save = resolve));
  const deleted: string[] = [];
  const { asked } = told({
    findLeg: async () => undefined,
    legsOfCall: async () => [],
    calls: {
      checkpoints: () => [{ start, isStopped: false, ledger: { tracks: {} } }],
      streaming: [],
      hasHad: () => true,
    },
    saveLegs: async (records) => (save(records), []),
    deleteLegs: async (legs) => void deleted.push(...legs.map(({ streamSid }) => streamSid)),
    start: () => new Promise(() => undefined),
  });
  continuity.legFinishing(start, 'stream-lost', undefined);
  await asked;
  expect(await saved).toMatchObject([{ streamSid: 'MZ1', needsStream: true }]);
  // Twilio tells of it, too, and the leg ends.
  continuity.onStreamStatus(EVENT);
  continuity.legEnded(start);
  await continuity.close();
  expect(deleted).toEqual([]);
});

const TAKES_OVER: LegStart = {
  ...{ type: 'started', callSid: 'CA0a', streamSid: 'MZ2', accountSid: 'AC1', tracks: ['inbound'] },
  parameters: { handover: 'nonce', takesOver: 'MZ1' },
};

test.each([
  [
    'the table did not take its proof',
    (): Promise<boolean> => Promise.reject(new Error('away')),
    [['MZ2', 700]],
  ],
  ['it has proved that it hears the call', (): Promise<boolean> => Promise.resolve(true), []],
] as const)('A leg that takes a call over was heard twice or not: %s', async (_, prove, marked) => {
  const replaced: unknown[] = [];
  let hasAnswered: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => (hasAnswered = resolve));
  const calls = {
    checkpoints: () => [],
    streaming: [],
    hasHad: () => true,
    replaceOthers: () => undefined,
    replace: (streamSid: string, fromMs: number) => replaced.push([streamSid, fromMs]),
  };
  const proveHandOver = (): Promise<boolean> => {
    setImmediate(hasAnswered);
    return prove();
  };
  told({ findLeg: async () => undefined, calls, proveHandOver });
  continuity.firstAudio(TAKES_OVER, 700);
  await answered;
  continuity.legFinishing(TAKES_OVER, 'stopped', undefined);
  expect(replaced).toEqual(marked);
});
