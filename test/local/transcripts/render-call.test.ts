import { renderCall } from '../../../local/transcripts/render-call';
import { renderLatency } from '../../../local/transcripts/render-latency';
import { renderLedger } from '../../../local/transcripts/render-ledger';
import { renderList } from '../../../local/transcripts/render-list';
import { callItem, gapItem, segmentItem, type StoredCall } from '../../../runtime/store/stored-call';
import { trackLedger } from '../../support/transcript-events';

const plain = { color: false };

const call = callItem.parse({
  callSid: 'CA1',
  from: '+15005550006',
  to: '+15005550010',
  direction: 'inbound',
  status: 'completed',
  startedAt: '2026-11-21T10:00:00.000Z',
  endedAt: '2026-11-21T10:01:05.500Z',
  endReason: 'stopped',
  segmentCount: 2,
  ledger: { tracks: { inbound: trackLedger(), outbound: trackLedger() } },
  latency: { count: 2, p50Ms: 412, p95Ms: 900 },
});

const stored: StoredCall = {
  call,
  segments: [
    segmentItem.parse({
      itemKey: 'S1',
      startMs: 1_234,
      endMs: 4_000,
      speaker: 'customer',
      text: 'Good morning.',
    }),
    segmentItem.parse({
      itemKey: 'S2',
      startMs: 72_500,
      endMs: 75_000,
      speaker: 'agent',
      text: 'How can I help?',
      translation: { fr: 'Comment puis-je aider ?' },
    }),
  ],
  gaps: [
    gapItem.parse({
      itemKey: 'G1',
      startMs: 5_000,
      endMs: 5_600,
      track: 'inbound',
      cause: 'backlog-overflow',
    }),
  ],
  sessions: [],
  results: [],
};

test('The latency is a table of what it is made of', () => {
  const part = (ms: number) => ({ count: 7, p50Ms: ms, p95Ms: 2 * ms, p99Ms: 3 * ms });
  const latencyParts = { partial: part(300), relay: part(0.45), speech: part(600), store: part(110) };
  expect(renderLatency({ ...call, latency: part(601), latencyParts })).toEqual([
    'Latency in milliseconds    number  half within  95 % within  99 % within',
    'partials                        7          300          600          900',
    'finals                          7          601         1202         1803',
    '  in the relay                  7         0.45         0.90         1.35',
    '  at the speech service         7          600         1200         1800',
    'finals stored, from there       7          110          220          330',
  ]);
});

test('A call is its head, its conversation with the gap in place, its ledger and its latency', () => {
  expect(renderCall(stored, plain)).toEqual([
    'Call CA1',
    'from       +15005550006',
    'to         +15005550010',
    'direction  inbound',
    'started    2026-11-21T10:00:00.000Z',
    'duration   01:05.5',
    'status     completed (stopped)',
    '',
    '00:01.2  customer  Good morning.',
    '00:05.0  gap       0.6 s of inbound are not transcribed (backlog-overflow)',
    '01:12.5  agent     How can I help?',
    '                   fr: Comment puis-je aider ?',
    '',
    'Audio in seconds     inbound  outbound',
    'received              60.000    60.000',
    '  from Twilio         59.000    59.000',
    '  silence filled in    1.000     1.000',
    'transcribed           60.000    60.000',
    'transcribed late       0.000     0.000',
    'unconfirmed            0.000     0.000',
    'lost                   0.000     0.000',
    'Every millisecond is accounted for: 120.000 s received, 100 % transcribed.',
    '',
    'Latency in milliseconds  number  half within  95 % within  99 % within',
    'finals                        2          412          900',
  ]);
});

test('A live call without anything is shown, too', () => {
  const live = callItem.parse({ callSid: 'CA1', status: 'in-progress' });
  expect(renderCall({ ...stored, call: live, segments: [], gaps: [] }, plain)).toEqual([
    'Call CA1',
    'from       unknown',
    'to         unknown',
    'direction  unknown',
    'status     in-progress',
    '',
    'Nothing was said, or nothing is stored yet.',
  ]);
});

test('Colour is there only when asked for', () => {
  expect(renderCall(stored, plain).join('')).not.toContain('\u001b');
  expect(renderCall(stored, { color: true }).join('')).toContain('\u001b');
});

test('The ledger shows each cause of loss, and what share is transcribed', () => {
  const inbound = trackLedger({ acceptedMs: 50_000, lateMs: 4_000, lostMs: { 'backlog-overflow': 6_000 } });
  const lines = renderLedger({ tracks: { inbound } }, plain);
  expect(lines).toContain('lost: backlog-overflow    6.000');
  expect(lines.at(-1)).toBe('Every millisecond is accounted for: 60.000 s received, 90 % transcribed.');
});

test.each([
  ['missing on the right side', { acceptedMs: 59_980 }],
  ['missing on the left side', { framesMs: 58_980 }],
  ['too much', { lateMs: 20 }],
])('A ledger with 20 ms %s says that it does not add up', (_, wrong) => {
  const ledger = { tracks: { inbound: trackLedger(wrong), outbound: trackLedger() } };
  expect(renderLedger(ledger, plain).at(-1)).toBe(
    'The ledger does not add up: 0.020 s are not accounted for.',
  );
});

test('A call is not whole when no stream was there for a while', () => {
  const ledger = { tracks: { inbound: trackLedger({ acceptedMs: 59_000, lostMs: { 'task-died': 1_000 } }) } };
  const gaps = [
    { itemKey: 'GAP#1', startMs: 0, endMs: 20_000, cause: 'stream-lost' },
    { itemKey: 'GAP#2', startMs: 30_000, endMs: 33_500, cause: 'task-died' },
  ];
  expect(renderLedger(ledger, plain, gaps).slice(-2)).toEqual([
    'Every millisecond is accounted for: 60.000 s received, 98.3 % transcribed.',
    'Not received, because no stream was there: 20.000 s stream-lost, 2.500 s task-died.',
  ]);
  const whole = { tracks: { inbound: trackLedger() } };
  expect(renderLedger(whole, { color: true }, gaps).at(-2)).toContain('100 %');
  expect(renderLedger(whole, { color: true }, gaps).at(-2)).not.toBe(
    renderLedger(whole, { color: true }).at(-1),
  );
});

test('A hundred percent is said of nothing less', () => {
  const ledger = { tracks: { inbound: trackLedger({ acceptedMs: 59_990, lateMs: 0, unconfirmedMs: 10 }) } };
  expect(renderLedger(ledger, plain).at(-1)).toContain('99.9 % transcribed');
});

test('A ledger without tracks is a sentence', () => {
  expect(renderLedger({ tracks: {} }, plain)).toEqual(['No audio was received.']);
});

test('A list has aligned columns, also for calls that say little of themselves', () => {
  expect(
    renderList([call, callItem.parse({ callSid: 'CA22', failure: 'http-401', status: 'completed' })]),
  ).toEqual([
    'STARTED (UTC)        CALL  FROM          TO            DIRECTION  DURATION  SEGMENTS  STATUS',
    '2026-11-21 10:00:00  CA1   +15005550006  +15005550010  inbound     01:05.5         2  completed',
    '                     CA22  unknown       unknown       unknown                        completed, failed: http-401',
  ]);
});
