import { Reaper, type ReaperOptions } from '../../../runtime/continuity/reaper';
import type { LegSummary, TranscriptEvent } from '../../../runtime/model/transcript-event';
import { Metrics } from '../../../runtime/observability/metrics';
import type { RecoveredSession } from '../../../runtime/speech/orphaned-session';
import type { SegmentItem, StoredCall } from '../../../runtime/store/stored-call';
import { legRecord } from '../../support/leg-record';
import { recordLog } from '../../support/recorded-log';
import { legSummary } from '../../support/transcript-events';

const record = legRecord({ taskId: 'dead' });
const RESULT: RecoveredSession = {
  utterances: [
    { text: 'hello', language: 'en', startMs: 1_000, endMs: 2_000, channel: 0, confidence: 1, words: [] },
  ],
  durationMs: 3_000,
  facts: { sessionId: 'session-1', status: 'done', languages: ['en'] },
  isEnded: true,
} as unknown as RecoveredSession;

/** As the live leg stores it. */
const HELLO = {
  streamSid: record.streamSid,
  channel: 0,
  sessionNumber: 1,
  sessionStartMs: 1_000,
  sessionEndMs: 2_000,
  startMs: 1_000,
  endMs: 2_000,
} as unknown as SegmentItem;

let ending: AbortController;
beforeEach(() => void (ending = new AbortController()));
afterEach(() => ending.abort());

/** Finds the one leg at its first look. */
function run(options: Partial<ReaperOptions> & Pick<ReaperOptions, 'adopt'>): TranscriptEvent[] {
  const told: TranscriptEvent[] = [];
  const reaper = new Reaper({
    store: {
      deadTasks: async () => ['dead'],
      expiredLegs: async () => [record],
      claimLeg: async () => true,
      unreconciledSessions: async () => [],
    },
    reader: { readCall: async () => callWith([]) },
    taskId: 'task-2',
    recoverSession: async () => RESULT,
    reattach: () => undefined,
    tell: (event) => void told.push(event),
    lookEveryMs: 60_000,
    thoroughEvery: 12,
    retryMs: 1,
    leaseMs: 12_000,
    signal: ending.signal,
    now: Date.now,
    wallNow: Date.now,
    random: Math.random,
    logger: recordLog().logger,
    metrics: new Metrics(),
    ...options,
  });
  void reaper.run();
  return told;
}

const callWith = (segments: readonly SegmentItem[], legs = {}): StoredCall =>
  ({ call: { legs }, segments }) as unknown as StoredCall;

/** @param stored what is in the table, at any time */
async function reap(stored: () => readonly SegmentItem[], asked: () => void): Promise<TranscriptEvent[]> {
  let told: TranscriptEvent[] = [];
  await new Promise<void>((resolve) => {
    told = run({
      reader: { readCall: async () => callWith(stored()) },
      recoverSession: async () => {
        asked();
        return RESULT;
      },
      adopt: () => resolve(),
    });
  });
  return told;
}

test('A line that a dead leg had not stored is recovered', async () => {
  const told = await reap(
    () => [],
    () => undefined,
  );
  expect(told.map(({ type }) => type)).toContain('final');
});

test('A line that is stored while the session is asked about is not told again', async () => {
  let isStored = false;
  const told = await reap(
    () => (isStored ? [HELLO] : []),
    () => (isStored = true),
  );
  expect(told.map(({ type }) => type)).not.toContain('final');
  expect(told.at(-1)).toMatchObject({ type: 'leg-ended', summary: { endReason: 'task-died', segments: 1 } });
});

test.each([
  ['read the call', 'readCall', 2],
  ['asked for its sessions', 'unreconciledSessions', 1],
  ['ended a session', 'recoverSession', 1],
  ['read what is stored by now', 'readCall', 3],
] as const)(
  'A task that begins to leave when it has %s tells nothing of a dead leg: its next task finds it as it was',
  async (_what, method, time) => {
    const count = { readCall: 0, unreconciledSessions: 0, recoverSession: 0 };
    let adopted = 0;
    const leaveAt = (name: keyof typeof count): void => {
      if ((count[name] += 1) === time && name === method) ending.abort();
    };
    const told = run({
      store: {
        deadTasks: async () => ['dead'],
        expiredLegs: async () => [record],
        claimLeg: async () => true,
        unreconciledSessions: async () => (leaveAt('unreconciledSessions'), []),
      },
      reader: { readCall: async () => (leaveAt('readCall'), callWith([])) },
      recoverSession: async () => (leaveAt('recoverSession'), { utterances: [], isEnded: false }),
      adopt: () => void (adopted += 1),
    });
    await new Promise((resolve) => ending.signal.addEventListener('abort', resolve));
    await new Promise(setImmediate);
    expect(told).toEqual([]);
    expect(adopted).toBe(0);
  },
);

test('A task that begins to leave does not adopt a leg that has its end: its call would have none', async () => {
  const ended = { [record.streamSid]: { ...legSummary() } };
  let adopted = 0;
  run({
    reader: { readCall: async () => (ending.abort(), callWith([], ended)) },
    adopt: () => void (adopted += 1),
  });
  await new Promise(setImmediate);
  expect(adopted).toBe(0);
});

test('A leg whose end in the table cannot be read gets one that can', async () => {
  const unreadable = { [record.streamSid]: { endedAt: '2026-11-21T10:01:00.000Z' } };
  const adopted = await new Promise<LegSummary>((resolve) =>
    run({
      reader: { readCall: async () => callWith([], unreadable) },
      adopt: (_leg, summary) => resolve(summary),
    }),
  );
  expect(adopted).toMatchObject({ endReason: 'task-died', tracks: record.tracks });
});

test.each([
  ['needs a stream gets one', { needsStream: true }, ['MZ1']],
  ['has one gets no other', {}, []],
])('The call of a leg that is over and %s', async (_, more, expected) => {
  const left = legRecord({ taskId: 'dead', ...more });
  const ended = callWith([], { [left.streamSid]: { ...legSummary(), endedAt: left.savedAt } });
  const reattached: string[] = [];
  await new Promise<void>((resolve) => {
    run({
      store: {
        deadTasks: async () => ['dead'],
        expiredLegs: async () => [left],
        claimLeg: async () => true,
        unreconciledSessions: async () => [],
      },
      reader: { readCall: async () => ended },
      reattach: ({ streamSid }) => void reattached.push(streamSid),
      adopt: () => resolve(),
    });
  });
  expect(reattached).toEqual(expected);
});
