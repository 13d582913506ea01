import { Reaper } from '../../../runtime/continuity/reaper';
import type { TranscriptEvent } from '../../../runtime/model/transcript-event';
import { Metrics } from '../../../runtime/observability/metrics';
import type { RecoveredSession } from '../../../runtime/speech/orphaned-session';
import type { SegmentItem, StoredCall } from '../../../runtime/store/stored-call';
import { legRecord } from '../../support/leg-record';
import { recordLog } from '../../support/recorded-log';

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

/** @param stored what is in the table, at any time */
async function reap(stored: () => readonly SegmentItem[], asked: () => void): Promise<TranscriptEvent[]> {
  const ending = new AbortController();
  const told: TranscriptEvent[] = [];
  const adopted = new Promise<void>((resolve) => {
    const reaper = new Reaper({
      store: {
        deadTasks: async () => ['dead'],
        expiredLegs: async () => [record],
        claimLeg: async () => true,
        unreconciledSessions: async () => [],
      },
      reader: {
        readCall: async () => ({ call: { legs: {} }, segments: stored() }) as unknown as StoredCall,
      },
      taskId: 'task-2',
      recoverSession: async () => {
        asked();
        return RESULT;
      },
      reattach: () => undefined,
      tell: (event) => void told.push(event),
      adopt: () => resolve(),
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
    });
    void reaper.run();
  });
  await adopted;
  ending.abort();
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
