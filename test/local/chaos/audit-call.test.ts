import { auditCall, type AllowedLoss } from '../../../local/chaos/audit-call';
import type { CallFacts, StreamFacts } from '../../../local/chaos/call-facts';
import type { AudioRange } from '../../../local/twilio/sent-audio';

const ORIGIN = Date.parse('2026-01-01T00:00:00.000Z');
const isoTime = (ms: number): string => new Date(ORIGIN + ms).toISOString();

const FIRST = {
  streamSid: 'MZ1',
  startMs: 0,
  sent: { inbound: [{ fromMs: 0, toMs: 4_000 }] },
  isOrderly: false,
};
const SECOND = {
  ...{ streamSid: 'MZ2', startMs: 5_000, isOrderly: true },
  sent: { inbound: [{ fromMs: 5_000, toMs: 9_000 }] },
};

interface Told {
  readonly streams?: readonly StreamFacts[];
  readonly lost?: readonly AudioRange[];
  readonly gaps?: readonly AudioRange[];
  readonly unconfirmedMs?: number;
}

function lengthOf(ranges: readonly AudioRange[]): number {
  return ranges.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}

/** A call in which nobody speaks: what Twilio sent, what Gladia never got of it, and what the table says. */
function callOf({ streams = [FIRST, SECOND], lost = [], gaps = [], unconfirmedMs = 0 }: Told): CallFacts {
  const legs = streams.map(({ streamSid, startMs, sent }) => {
    const framesMs = lengthOf(sent.inbound ?? []);
    const inbound = {
      ...{ receivedMs: framesMs, framesMs, filledMs: 0, lateMs: 0, unconfirmedMs, lostMs: {} },
      acceptedMs: framesMs - unconfirmedMs,
    };
    const times = { startedAt: isoTime(startMs), firstAudioAt: isoTime(startMs), endedAt: isoTime(9_000) };
    return [streamSid, { ...times, endReason: 'stopped', ledger: { tracks: { inbound } } }] as const;
  });
  const none = { saidMs: 9_000, unsentMs: 0, overlapMs: 0, doubledMs: 0, foreignMs: 0 };
  return {
    ...{ callSid: 'CA1', endMs: 9_000, streams, speech: {}, finals: [] },
    counted: { inbound: { ...none, lostMs: lengthOf(lost), lost } },
    stored: {
      call: { callSid: 'CA1', status: 'completed', segmentCount: 0, legs: Object.fromEntries(legs) },
      gaps: gaps.map(({ fromMs, toMs }) => ({
        ...{ itemKey: 'GAP', track: 'inbound', startMs: fromMs, endMs: toMs, cause: 'stream-lost' },
      })),
      ...{ segments: [], sessions: [], results: [] },
    },
  } as unknown as CallFacts;
}

const LOST_STREAM: AllowedLoss = { causes: ['stream-lost'], lostMs: 1_000 };
const BETWEEN = { fromMs: 4_000, toMs: 5_000 };

function complaints(told: Told, allowed: AllowedLoss = LOST_STREAM): readonly string[] {
  return auditCall(callOf(told), allowed).broken;
}

test('a call whose gap is where no stream was has nothing to complain of', () => {
  expect(complaints({ gaps: [BETWEEN] })).toEqual([]);
});

test('what was said between two streams has to be in a gap', () => {
  expect(complaints({})).toEqual(
    expect.arrayContaining(['inbound: no GAP item says that 4000 to 5000 ms is missing']),
  );
});

test('two streams closer to each other than clocks agree need no gap between them', () => {
  const close = (ms: number): StreamFacts => ({
    ...{ streamSid: 'MZ2', startMs: 4_000 + ms, isOrderly: true },
    sent: { inbound: [{ fromMs: 4_000 + ms, toMs: 9_000 }] },
  });
  expect(complaints({ streams: [FIRST, close(39)] })).toEqual([]);
  expect(complaints({ streams: [FIRST, close(40)] })).toEqual([
    'inbound: no GAP item says that 4000 to 4040 ms is missing',
  ]);
});

test('a gap of the right length in the wrong place explains nothing', () => {
  expect(complaints({ gaps: [{ fromMs: 6_000, toMs: 7_000 }] })).toEqual([
    'inbound: no GAP item says that 4000 to 5000 ms is missing',
    'inbound: GAP items say that 6200 to 6800 ms is missing, and Gladia has it',
  ]);
});

test('a gap may not claim what Gladia has', () => {
  const gaps = [{ fromMs: 3_000, toMs: 5_000 }];
  expect(complaints({ gaps }, { ...LOST_STREAM, lostMs: 2_000 })).toEqual([
    'inbound: GAP items say that 3200 to 4000 ms is missing, and Gladia has it',
  ]);
});

test('what was sent and never came has to be in a gap, too', () => {
  const lost = [{ fromMs: 6_000, toMs: 6_500 }];
  const allowed = { ...LOST_STREAM, lostMs: 1_500 };
  expect(complaints({ gaps: [BETWEEN], lost }, allowed)).toContain(
    'inbound: no GAP item says that 6000 to 6500 ms is missing',
  );
  expect(complaints({ gaps: [BETWEEN, ...lost], lost }, allowed)).toEqual([]);
});

test('what is unconfirmed has no gap, where a scenario allows it', () => {
  const streams = [FIRST];
  const lost = [{ fromMs: 3_500, toMs: 4_000 }];
  const told = { streams, lost, unconfirmedMs: 500 };
  expect(complaints(told, { unconfirmed: true })).toEqual([]);
  expect(complaints(told, {})).toEqual(
    expect.arrayContaining([
      'inbound: no GAP item says that 3500 to 4000 ms is missing',
      'inbound: 500 ms are unconfirmed',
    ]),
  );
});

test('silence that Twilio did not send is no gap', () => {
  const sent = {
    inbound: [
      { fromMs: 0, toMs: 2_000 },
      { fromMs: 6_000, toMs: 9_000 },
    ],
  };
  const told = complaints({ streams: [{ ...FIRST, sent }] }, {});
  expect(told.filter((each) => each.includes('GAP item says'))).toEqual([]);
});

test('a scenario tells how much of a call may be missing', () => {
  expect(complaints({ gaps: [BETWEEN] }, { ...LOST_STREAM, lostMs: 700 })).toEqual([
    'inbound: 1000 ms are missing, 700 ms may be',
  ]);
  expect(complaints({ gaps: [BETWEEN] }, { causes: ['stream-lost'] })).toEqual([
    'inbound: 1000 ms are missing, 0 ms may be',
  ]);
});

test('a leg that the table puts elsewhere takes its gap along', () => {
  const facts = callOf({ gaps: [{ fromMs: 4_000, toMs: 5_600 }] });
  const legs = { ...facts.stored.call.legs };
  const second = legs['MZ2']!;
  legs['MZ2'] = { ...second, firstAudioAt: isoTime(5_600) };
  const stored = { ...facts.stored, call: { ...facts.stored.call, legs } };
  expect(auditCall({ ...facts, stored }, { ...LOST_STREAM, lostMs: 1_600 }).broken).toEqual([]);
});
