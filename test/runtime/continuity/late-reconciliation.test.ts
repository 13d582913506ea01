import {
  LateReconciliation,
  type LateReconciliationOptions,
} from '../../../runtime/continuity/late-reconciliation';
import type { LegSummary, TranscriptEvent } from '../../../runtime/model/transcript-event';
import type { RecoveredSession } from '../../../runtime/speech/orphaned-session';
import type { UnreconciledSession } from '../../../runtime/store/lease-store';
import { NOBODY, type LegRecord } from '../../../runtime/store/live-leg';
import type { StoredCall } from '../../../runtime/store/stored-call';
import { legRecord } from '../../support/leg-record';
import { recordLog } from '../../support/recorded-log';
import { legSummary, trackLedger } from '../../support/transcript-events';

const NOW_MS = Date.parse('2026-11-21T11:00:00.000Z');
const { session: _, legOriginAt: __, originAt: ___, ...known } = legRecord();
/** As a task leaves it: only the names. */
const RECORD: LegRecord = { ...known, taskId: NOBODY, tracks: [], parameters: {}, startedAt: '', ledger: {} };
const SESSION: UnreconciledSession = {
  streamSid: 'MZ1',
  sessionId: 'session-1',
  sessionNumber: 1,
  baseMs: 0,
};
const said = (startMs: number) => ({
  ...{ channel: 1, text: `at ${startMs}`, language: 'en', confidence: 1, words: [] },
  ...{ startMs, endMs: startMs + 1_000 },
});
const NO_RESULT: RecoveredSession = { utterances: [], isEnded: true };
const RESULT: RecoveredSession = {
  utterances: [said(1_000), said(5_000)],
  isEnded: true,
  durationMs: 40_000,
  facts: { status: 'done', languages: ['en'], billedSeconds: 80 },
};

/** A call of one leg whose second line is stored. */
function storedCall(leg: Partial<LegSummary> = {}, session: Record<string, unknown> = {}): StoredCall {
  const summary = legSummary({ firstAudioAt: '2026-11-21T10:00:10.100Z', reconciled: false, ...leg });
  return {
    call: {
      callSid: 'CA0a',
      accountSid: 'AC1',
      direction: 'inbound',
      originAt: '2026-11-21T10:00:00.100Z',
      endedAt: '2026-11-21T10:02:00.000Z',
      legs: { MZ1: { ...summary, tracks: [...summary.tracks] } },
    },
    segments: [
      {
        ...{ itemKey: 'SEGMENT#', text: 'stored', startMs: 15_000, endMs: 16_000 },
        ...{ streamSid: 'MZ1', channel: 1, sessionNumber: 1, sessionStartMs: 5_000, sessionEndMs: 6_000 },
      },
    ],
    gaps: [],
    sessions: [
      { itemKey: 'SESSION#MZ1#001', sessionId: 'session-1', streamSid: 'MZ1', sessionNumber: 1, ...session },
    ],
    results: [],
  } as unknown as StoredCall;
}

type Adopted = LegSummary & { readonly isCallEnded: boolean };

function create(
  found: (session: UnreconciledSession) => RecoveredSession = () => RESULT,
  { signal } = new AbortController(),
) {
  const told: TranscriptEvent[] = [];
  const [adopted, saved, deleted]: [Adopted[], LegRecord[], LegRecord[]] = [[], [], []];
  const refused: LegRecord[] = [];
  const { logger, lines } = recordLog();
  const options: LateReconciliationOptions = {
    store: {
      saveLegs: (records) => Promise.resolve((saved.push(...records), refused)),
      deleteLegs: (legs) => Promise.resolve(void deleted.push(...(legs as LegRecord[]))),
    },
    recoverSession: (session) => Promise.resolve(found(session)),
    tell: (event) => void told.push(event),
    adopt: ({ isCallEnded }, summary) => void adopted.push({ ...summary, isCallEnded }),
    reconcileAfterMs: 60_000,
    signal,
    wallNow: () => NOW_MS,
    logger,
  };
  return { late: new LateReconciliation(options), told, adopted, saved, deleted, refused, lines };
}

test('a line that never reached the table is told, at its place in the call, and the leg is reconciled', async () => {
  const { late, told, adopted, saved } = create();
  await late.reconcile(RECORD, storedCall(), [SESSION]);
  expect(told.map(({ type }) => type)).toEqual(['final', 'leg-ended', 'session-closed']);
  expect(told[0]).toMatchObject({
    segment: { text: 'at 1000', startMs: 11_000, track: 'outbound', speaker: 'agent', source: 'recovered' },
  });
  expect(told[2]).toMatchObject({ reconciled: true, isLate: true });
  expect(adopted).toMatchObject([
    { reconciled: true, segments: 2, billableSeconds: 200, endReason: 'stopped', isCallEnded: true },
  ]);
  expect(saved).toEqual([]);
});

test('what the result confirms is accepted', async () => {
  const ledger = trackLedger({ acceptedMs: 10_000, unconfirmedMs: 50_000 });
  const leg = { ledger: { tracks: { inbound: ledger } } };
  const { late, adopted } = create();
  await late.reconcile(RECORD, storedCall(leg), [SESSION]);
  expect(adopted[0]?.ledger.tracks.inbound).toMatchObject({ acceptedMs: 50_000, unconfirmedMs: 10_000 });
});

test('a session that had its result, and only lost lines, confirms nothing else', async () => {
  const ledger = trackLedger({ acceptedMs: 10_000, unconfirmedMs: 50_000 });
  const leg = { ledger: { tracks: { inbound: ledger } } };
  const { late, adopted } = create();
  await late.reconcile(RECORD, storedCall(leg, { result: { status: 'done' } }), [SESSION]);
  expect(adopted).toMatchObject([{ ledger: { tracks: { inbound: ledger } }, billableSeconds: 120 }]);
});

test('a leg of which one session has no result tells of the others, and is left for later', async () => {
  const second = { ...SESSION, sessionId: 'session-2', sessionNumber: 2, baseMs: 30_000 };
  const { late, told, adopted, saved } = create(({ sessionNumber }) =>
    sessionNumber === 1 ? RESULT : NO_RESULT,
  );
  await late.reconcile(RECORD, storedCall(), [SESSION, second]);
  expect(told.map(({ type }) => type)).toEqual(['final', 'leg-ended', 'session-closed']);
  expect(told[1]).toMatchObject({ summary: { reconciled: false } });
  expect(adopted).toEqual([]);
  expect(saved).toMatchObject([{ taskId: NOBODY, tries: 1, savedAt: '2026-11-21T11:00:00.000Z' }]);
});

test('without any result nothing is told, and the next look is later each time', async () => {
  const { late, told, saved } = create(() => NO_RESULT);
  await late.reconcile({ ...RECORD, taskId: 'this-task', tries: 2 }, storedCall(), [SESSION]);
  expect(told).toEqual([]);
  expect(saved).toMatchObject([{ taskId: NOBODY, tries: 3, isStopping: true }]);
  const savedAgo = (ms: number) => new Date(NOW_MS - ms).toISOString();
  expect(late.isDue({ ...RECORD, tries: 3, savedAt: savedAgo(479_999) })).toBe(false);
  expect(late.isDue({ ...RECORD, tries: 3, savedAt: savedAgo(480_000) })).toBe(true);
  expect(late.isDue({ ...RECORD, tries: 29, savedAt: savedAgo(3_600_000) })).toBe(true);
  expect(late.isDue({ ...RECORD, tries: 30, savedAt: savedAgo(3_600_000) })).toBe(false);
});

test('after about a day it is given up, said, and the url of the session goes', async () => {
  const { late, told, saved, deleted, lines } = create(() => ({ ...NO_RESULT, isEnded: false }));
  await late.reconcile({ ...RECORD, tries: 29 }, storedCall(), [SESSION]);
  expect([saved.length, deleted.length]).toEqual([0, 1]);
  expect(lines).toMatchObject([{ level: 50, callSid: 'CA0a', streamSid: 'MZ1' }]);
  expect(told).toMatchObject([{ type: 'session-closed', reconciled: false }]);
  expect(told[0]).not.toHaveProperty('mayBeOpen');
});

test('a task that leaves meanwhile tells nothing, and leaves the leg as it is', async () => {
  const leaving = new AbortController();
  const { late, told, adopted, saved, deleted } = create(() => (leaving.abort(), RESULT), leaving);
  await late.reconcile({ ...RECORD, tries: 29 }, storedCall(), [SESSION]);
  expect([told, adopted, saved, deleted]).toEqual([[], [], [], []]);
});

test('a line of a leg whose audio begins with supplied silence is told where it was said', async () => {
  const { late, told } = create();
  await late.reconcile(RECORD, storedCall({ leadMs: 700 }), [SESSION]);
  expect(told[0]).toMatchObject({ segment: { startMs: 10_300 } });
});

test('what a result confirms is counted once, also when the task died before it could say so', async () => {
  const ledger = trackLedger({ acceptedMs: 10_000, unconfirmedMs: 50_000 });
  const first = create();
  await first.late.reconcile(RECORD, storedCall({ ledger: { tracks: { inbound: ledger } } }), [SESSION]);
  const again = create();
  // The leg's end is in the table, the session's is not.
  await again.late.reconcile(RECORD, storedCall(first.adopted[0]), [SESSION]);
  expect(again.told.map(({ type }) => type)).toContain('session-closed');
  expect(again.adopted).toMatchObject([
    {
      ledger: { tracks: { inbound: { acceptedMs: 50_000, unconfirmedMs: 10_000 } } },
      billableSeconds: first.adopted[0]!.billableSeconds,
      results: [{ billedSeconds: 80 }],
    },
  ]);
});

test('a leg that the table does not take back is tried again', async () => {
  const { late, refused } = create(() => NO_RESULT);
  refused.push(RECORD);
  await expect(late.reconcile(RECORD, storedCall(), [SESSION])).rejects.toThrow(/did not take/);
});
