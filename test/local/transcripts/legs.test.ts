import { callLegs } from '../../../local/transcripts/call-legs';
import { joinGaps } from '../../../local/transcripts/join-gaps';
import { renderCall, renderConversation } from '../../../local/transcripts/render-call';
import { renderLegs } from '../../../local/transcripts/render-legs';
import { callItem, gapItem, segmentItem, type StoredCall } from '../../../runtime/store/stored-call';

const plain = { color: false };
const at = (s: number): string => new Date(Date.parse('2026-11-21T10:00:00Z') + s * 1000).toISOString();
const leg = (from: number, to: number, endReason: string, more: Record<string, unknown> = {}) => ({
  startedAt: at(from - 0.2),
  endedAt: at(to + 1),
  firstAudioAt: at(from),
  lastAudioAt: at(to),
  endReason,
  segments: 3,
  ...more,
});
const callOf = (legs: Record<string, unknown>) =>
  callItem.parse({ callSid: 'CA1', startedAt: at(-0.2), originAt: at(0), legs });
const storedCall = (more: Partial<StoredCall>): StoredCall => ({
  call: callOf({ MZ1: leg(0, 60, 'stopped') }),
  segments: [],
  gaps: [],
  sessions: [],
  results: [],
  ...more,
});
const segment = (startMs: number, text: string, more: Record<string, unknown> = {}) =>
  segmentItem.parse({ itemKey: text, startMs, endMs: startMs + 1_000, speaker: 'agent', text, ...more });
const gap = (startMs: number, endMs: number, track?: string, cause = 'stream-lost') =>
  gapItem.parse({ itemKey: `G${startMs}`, startMs, endMs, track, cause });

/** Handed over with 0.8 s heard twice, then lost for 12.5 s. */
const threeLegs = callOf({
  MZ3: leg(72.5, 90, 'stopped', { segments: 1 }),
  MZ1: leg(0, 30.8, 'handed-over'),
  MZ2: leg(30, 60, 'task-died', { segments: 2, failure: 'http-402' }),
});

describe('The legs of a call', () => {
  test('come in order of time, each with what lies between it and the one before', () => {
    expect(callLegs(threeLegs)).toEqual([
      { number: 1, streamSid: 'MZ1', startMs: 0, endMs: 30_800, endReason: 'handed-over', segments: 3 },
      {
        number: 2,
        streamSid: 'MZ2',
        startMs: 30_000,
        endMs: 60_000,
        endReason: 'task-died',
        failure: 'http-402',
        segments: 2,
        sinceBeforeMs: -800,
      },
      {
        number: 3,
        streamSid: 'MZ3',
        startMs: 72_500,
        endMs: 90_000,
        endReason: 'stopped',
        segments: 1,
        sinceBeforeMs: 12_500,
      },
    ]);
  });

  test('are a table that says who heard what', () => {
    expect(renderLegs(callLegs(threeLegs))).toEqual([
      'LEG  STREAM     FROM       TO  SEGMENTS  ENDED                        AFTER THE LEG BEFORE',
      '  1  MZ1     00:00.0  00:30.8         3  handed-over',
      '  2  MZ2     00:30.0  01:00.0         2  task-died, failed: http-402  0.8 s heard by both',
      '  3  MZ3     01:12.5  01:30.0         1  stopped                      12.5 s without a stream',
    ]);
  });

  test('of which one lives and one never said anything are shown as far as they are known', () => {
    const legs = callLegs(callOf({ MZ1: { startedAt: at(0) }, MZ2: { startedAt: '' } }));
    expect(renderLegs(legs).map((line) => line.split(/\s+/).filter(Boolean))).toEqual([
      expect.anything(),
      ['1', 'MZ1', '00:00.0', 'live'],
      ['2', 'MZ2', 'live'],
    ]);
  });

  test('that is within a longer one leaves no gap after it', () => {
    const legs = callLegs(
      callOf({ MZ1: leg(0, 60, 'stopped'), MZ2: leg(10, 20, 'replaced'), MZ3: leg(60, 70, 'stopped') }),
    );
    expect(legs.map(({ sinceBeforeMs }) => sinceBeforeMs)).toEqual([undefined, -50_000, 0]);
    expect(renderLegs(legs).at(-1)).toMatch(/at once$/);
  });

  test('are not a table for a call of one', () => {
    expect(renderCall(storedCall({}), plain).join('\n')).not.toContain('STREAM');
    expect(renderCall(storedCall({ call: threeLegs }), plain).join('\n')).toContain('\n\nLEG  STREAM');
  });
});

test('The conversation tells where a leg begins, what two legs heard, and a gap of both sides once', () => {
  const stored = storedCall({
    call: threeLegs,
    segments: [
      segment(29_000, 'Let me look.'),
      segment(30_100, 'Let me look.', { overlap: true, translation: { fr: 'Voyons.' } }),
      segment(80_000, 'Here I am.'),
    ],
    gaps: [gap(60_000, 72_500, 'outbound'), gap(60_000, 72_500, 'inbound')],
  });
  expect(renderConversation(stored, plain)).toEqual([
    '00:29.0  agent     Let me look.',
    '00:30.0  leg       2 begins',
    '00:30.1  agent     Let me look. (overlap: another leg heard this, too)',
    '                   fr: Voyons.',
    '01:00.0  gap       12.5 s of inbound and outbound are not transcribed (stream-lost)',
    '01:12.5  leg       3 begins',
    '01:20.0  agent     Here I am.',
  ]);
});

test('Gaps are joined only when they are the same in time and cause', () => {
  const gaps = [
    gap(0, 10, 'inbound'),
    gap(0, 10, 'outbound', 'task-died'),
    gap(0, 11, 'outbound'),
    gap(0, 11),
  ];
  expect(joinGaps(gaps).map(({ tracks }) => tracks)).toEqual([['inbound'], ['outbound'], ['outbound']]);
});
