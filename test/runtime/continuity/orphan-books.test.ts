import { closeBooks, type FoundSession, type OrphanedLeg } from '../../../runtime/continuity/orphan-books';
import { Secret } from '../../../runtime/model/secret';
import type { TrackLedger } from '../../../runtime/model/audio-ledger';
import type { LegSummary, TranscriptEvent } from '../../../runtime/model/transcript-event';
import type { SpokenUtterance } from '../../../runtime/speech/speech-provider';
import type { LegRecord } from '../../../runtime/store/live-leg';
import type { SegmentItem } from '../../../runtime/store/stored-call';

const LEDGER: TrackLedger = {
  receivedMs: 10_000,
  framesMs: 9_000,
  filledMs: 1_000,
  acceptedMs: 2_000,
  lateMs: 500,
  unconfirmedMs: 6_000,
  lostMs: { 'backlog-overflow': 300 },
};

const RECORD: LegRecord = {
  callSid: 'CA1',
  streamSid: 'MZ2',
  accountSid: 'AC1',
  taskId: 'dead',
  tracks: ['inbound', 'outbound'],
  parameters: { direction: 'inbound' },
  startedAt: '2026-01-01T00:01:00.000Z',
  legOriginAt: '2026-01-01T00:01:00.500Z',
  originAt: '2026-01-01T00:00:00.500Z',
  session: { sessionId: 's1', sessionNumber: 1, url: new Secret('wss://s1'), baseMs: 0 },
  attempts: 0,
  isStopping: false,
  ledger: { inbound: LEDGER, outbound: LEDGER },
  savedAt: '2026-01-01T00:01:10.000Z',
};

const said = (startMs: number, endMs: number, channel = 0): SpokenUtterance => ({
  channel,
  text: `at ${startMs}`,
  language: 'en',
  confidence: 1,
  startMs,
  endMs,
  words: [{ text: 'at', startMs, endMs, confidence: 1 }],
});

function session(found: Partial<FoundSession['found']> = {}, number = 1, baseMs = 0): FoundSession {
  return {
    session: { sessionId: `s${number}`, sessionNumber: number, baseMs },
    found: {
      utterances: [],
      isEnded: true,
      facts: { status: 'done', languages: ['en'], billedSeconds: 20 },
      durationMs: 10_000,
      ...found,
    },
  };
}

function stored(startMs: number, endMs: number, sessionStartMs: number): SegmentItem {
  const sessionEndMs = sessionStartMs + endMs - startMs;
  return {
    itemKey: 'SEGMENT#',
    text: 'stored',
    startMs,
    endMs,
    ...{ streamSid: 'MZ2', channel: 0, sessionNumber: 1, sessionStartMs, sessionEndMs },
  };
}

function close(leg: Partial<OrphanedLeg> = {}): { events: readonly TranscriptEvent[]; summary: LegSummary } {
  const events = closeBooks({
    record: RECORD,
    sessions: [session()],
    segments: [],
    nowMs: Date.parse('2026-01-01T00:02:00.000Z'),
    ...leg,
  });
  const last = events.at(-1);
  if (last?.type !== 'leg-ended') throw new Error('the leg did not end');
  return { events, summary: last.summary };
}

function inbound(summary: LegSummary): TrackLedger {
  const ledger = summary.ledger.tracks.inbound!;
  const lostMs = Object.values(ledger.lostMs).reduce((sum, ms) => sum + ms, 0);
  expect(ledger.framesMs + ledger.filledMs).toBe(ledger.receivedMs);
  expect(ledger.acceptedMs + ledger.lateMs + ledger.unconfirmedMs + lostMs).toBe(ledger.receivedMs);
  return ledger;
}

test('a final that never reached the table is recovered, with call times of its leg', () => {
  const { events, summary } = close({ sessions: [session({ utterances: [said(1_000, 2_000, 1)] })] });
  expect(events[0]).toMatchObject({
    type: 'final',
    callSid: 'CA1',
    streamSid: 'MZ2',
    segment: {
      text: 'at 1000',
      source: 'recovered',
      startMs: 61_000,
      endMs: 62_000,
      at: '2026-01-01T00:01:01.500Z',
      channel: 1,
      track: 'outbound',
      speaker: 'agent',
      sessionStartMs: 1_000,
      words: [{ startMs: 61_000, endMs: 62_000 }],
    },
  });
  expect(summary.segments).toBe(1);
});

test('a final that is in the table is not told again, nor one that the next session tells', () => {
  const sessions = [
    session({ utterances: [said(1_000, 2_000), said(6_000, 7_000)] }, 1),
    session({ utterances: [said(1_000, 2_000)] }, 2, 5_000),
  ];
  const { events, summary } = close({ sessions, segments: [stored(61_010, 61_990, 1_010)] });
  const finals = events.filter(({ type }) => type === 'final');
  expect(finals).toMatchObject([{ segment: { sessionNumber: 2, startMs: 66_000 } }]);
  expect(summary.segments).toBe(2);
});

test('what the service reports is accepted, and the rest of what was received died with the task', () => {
  const { summary, events } = close({ sessions: [session({ durationMs: 9_000 })] });
  expect(inbound(summary)).toMatchObject({
    receivedMs: 10_000,
    acceptedMs: 8_200,
    lateMs: 500,
    unconfirmedMs: 0,
    lostMs: { 'backlog-overflow': 300, 'task-died': 1_000 },
  });
  expect(events.filter(({ type }) => type === 'gap')).toMatchObject([
    { track: 'inbound', startMs: 69_000, endMs: 70_000, cause: 'task-died' },
    { track: 'outbound', startMs: 69_000, endMs: 70_000, cause: 'task-died' },
  ]);
});

test('what the service has beyond the last checkpoint was received', () => {
  const { summary } = close({ sessions: [session({ durationMs: 12_500 })] });
  expect(inbound(summary)).toMatchObject({ receivedMs: 12_500, lostMs: { 'backlog-overflow': 300 } });
  expect(summary.lastAudioAt).toBe('2026-01-01T00:01:13.000Z');
});

test('without a result nothing is known of what was sent', () => {
  const { facts: _, durationMs: __, ...found } = session().found;
  const { summary, events } = close({ sessions: [{ ...session(), found }] });
  expect(inbound(summary)).toMatchObject({ acceptedMs: 2_000, unconfirmedMs: 6_000 });
  expect(inbound(summary).lostMs).toEqual({ 'backlog-overflow': 300, 'task-died': 1_200 });
  expect(summary.reconciled).toBe(false);
  expect(events).toContainEqual(expect.objectContaining({ type: 'session-closed', reconciled: false }));
});

describe('a leg of two sessions', () => {
  const { facts: _, durationMs: __, ...noResult } = session().found;
  const ledger = { ...LEDGER, acceptedMs: 0, lateMs: 0, unconfirmedMs: 10_000, lostMs: {} };
  const record = { ...RECORD, ledger: { inbound: ledger, outbound: ledger } };
  const closeTwo = (
    one: Partial<FoundSession['found']>,
    two: Partial<FoundSession['found']>,
    saved = record,
  ) =>
    inbound(
      close({
        record: saved,
        sessions: [
          { ...session({}, 1), found: { ...noResult, ...one } },
          { ...session({}, 2, 4_000), found: { ...noResult, ...two } },
        ],
      }).summary,
    );
  const result = (durationMs: number) => ({ ...session().found, durationMs });

  test('has no more of the first one accepted than its own result says', () => {
    expect(closeTwo({}, result(6_000))).toMatchObject({
      acceptedMs: 6_000,
      unconfirmedMs: 4_000,
      lostMs: {},
    });
    expect(closeTwo(result(3_000), result(6_000))).toMatchObject({ acceptedMs: 9_000, unconfirmedMs: 1_000 });
    expect(closeTwo(result(5_000), result(6_000))).toMatchObject({ acceptedMs: 10_000, unconfirmedMs: 0 });
  });

  test('has what the first one accounts for, though the last one has no result', () => {
    expect(closeTwo(result(4_000), {})).toMatchObject({ acceptedMs: 4_000, unconfirmedMs: 6_000 });
    expect(closeTwo({}, {})).toMatchObject({ acceptedMs: 0, unconfirmedMs: 10_000, lostMs: {} });
  });

  test('loses with its task only what the last one had not got', () => {
    expect(closeTwo({}, result(5_000))).toMatchObject({
      acceptedMs: 5_000,
      unconfirmedMs: 4_000,
      lostMs: { 'task-died': 1_000 },
    });
  });

  test('keeps what was known of the first one', () => {
    const known = { ...ledger, acceptedMs: 4_000, unconfirmedMs: 6_000 };
    expect(
      closeTwo({}, result(6_000), { ...record, ledger: { inbound: known, outbound: known } }),
    ).toMatchObject({
      acceptedMs: 10_000,
      unconfirmedMs: 0,
    });
  });
});

test('a leg that died before its first audio has an empty ledger', () => {
  const { legOriginAt: _, originAt: __, session: ___, ...record } = RECORD;
  const { summary } = close({ record: { ...record, ledger: {} }, sessions: [] });
  expect(inbound(summary).receivedMs).toBe(0);
  expect(summary).toMatchObject({ endReason: 'task-died', segments: 0, sessions: 0, results: [] });
  expect(summary).not.toHaveProperty('firstAudioAt');
});

describe('a leg whose audio begins with silence that was supplied', () => {
  const LED: LegRecord = { ...RECORD, leadMs: 4_000 };

  test('has its lines where they were said', () => {
    const sessions = [session({ utterances: [said(3_000, 3_800), said(5_000, 6_000)] })];
    const { events, summary } = close({ record: LED, sessions });
    const lines = events.flatMap((event) => (event.type === 'final' ? [event.segment] : []));
    expect(lines.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
      [60_000, 60_000],
      [61_000, 62_000],
    ]);
    expect(lines[1]).toMatchObject({ at: '2026-01-01T00:01:01.500Z', words: [{ startMs: 61_000 }] });
    expect(summary).toMatchObject({ lastAudioAt: '2026-01-01T00:01:06.500Z', leadMs: 4_000 });
  });

  test('knows a line that is stored', () => {
    const sessions = [session({ utterances: [said(5_000, 6_000)] })];
    const segments = [{ ...stored(61_000, 62_000, 5_000), sessionNumber: 9 }];
    expect(close({ record: LED, sessions, segments }).summary.segments).toBe(1);
  });

  test('has lost what it lost at the end of its audio', () => {
    const { facts: _, ...noResult } = session().found;
    const sessions = [{ ...session(), found: { ...noResult, durationMs: 0 } }];
    const gaps = close({ record: LED, sessions }).events.filter(({ type }) => type === 'gap');
    expect(gaps).toMatchObject([{ endMs: 66_000 }, { endMs: 66_000 }]);
  });
});
