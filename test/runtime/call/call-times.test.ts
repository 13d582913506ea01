import { CallClock } from '../../../runtime/call/call-clock';
import { Latencies } from '../../../runtime/call/latencies';
import { mergeParties, readLegParameters } from '../../../runtime/call/leg-parameters';
import { speakerOf } from '../../../runtime/call/speaker';

describe('a call clock', () => {
  const origin = Date.parse('2026-11-21T10:00:00.000Z');

  test("tells the first leg's times as they are", () => {
    const clock = new CallClock(origin, origin);
    expect(clock.toCallMs(1_234.4)).toBe(1_234);
    expect(clock.at(1_234)).toBe('2026-11-21T10:00:01.234Z');
  });

  test('puts a second leg behind the first by the wall clock', () => {
    expect(new CallClock(origin, origin + 30_000).toCallMs(500)).toBe(30_500);
  });

  test('moves a later leg to when its audio was said, and never back or before the call', () => {
    const clock = new CallClock(origin, origin + 30_000);
    clock.legBeganAt(origin + 28_500);
    clock.legBeganAt(origin + 29_000);
    expect(clock.toCallMs(500)).toBe(29_000);
    expect(clock.legOriginAtMs).toBe(origin + 28_500);
    clock.legBeganAt(origin - 1_000);
    expect(clock.toCallMs(500)).toBe(500);
  });

  test('stays at zero with the first leg, and moves with it to when the first audio was said', () => {
    const clock = new CallClock(origin, origin);
    clock.legBeganAt(origin - 1_200);
    clock.legBeganAt(origin - 700);
    expect(clock.toCallMs(500)).toBe(500);
    expect(clock.originAtMs).toBe(origin - 1_200);
    expect(clock.at(500)).toBe('2026-11-21T09:59:59.300Z');
  });

  test('never goes below zero: not before the first audio, not with a clock that is behind', () => {
    expect(new CallClock(origin, origin).toCallMs(-300)).toBe(0);
    expect(new CallClock(origin, origin - 5_000).toCallMs(500)).toBe(500);
  });
});

describe('the parameters of a leg', () => {
  test('give parties, languages and vocabulary', () => {
    const parameters = {
      from: '+1',
      to: '+2',
      direction: 'outbound-api',
      language: 'en, fr',
      vocabulary: 'Callscript,,Fargate ',
    };
    expect(readLegParameters(parameters)).toEqual({
      parties: { from: '+1', to: '+2', direction: 'outbound-api' },
      languages: ['en', 'fr'],
      vocabulary: ['Callscript', 'Fargate'],
    });
  });

  test.each([{}, { from: '', to: '', direction: '' }, { direction: 'sideways' }])(
    'that say nothing leave the parties unknown',
    (parameters) => {
      expect(readLegParameters(parameters).parties).toEqual({ direction: 'unknown' });
    },
  );

  test('win over what Twilio tells later, where they say something', () => {
    const told = { from: '+9', to: '+2', direction: 'inbound' } as const;
    expect(mergeParties({ from: '+1', direction: 'unknown' }, told)).toEqual({
      from: '+1',
      to: '+2',
      direction: 'inbound',
    });
    expect(mergeParties({ direction: 'outbound-dial' }, told).direction).toBe('outbound-dial');
  });
});

test.each([
  ['inbound', 'customer', 'agent'],
  ['outbound-api', 'customer', 'agent'],
  ['outbound-dial', 'agent', 'customer'],
  ['unknown', 'customer', 'agent'],
] as const)('on a call of direction %s inbound is the %s', (direction, inbound, outbound) => {
  expect(speakerOf('inbound', direction)).toBe(inbound);
  expect(speakerOf('outbound', direction)).toBe(outbound);
});

describe('latencies', () => {
  test('have no summary without samples', () => {
    expect(new Latencies().summary()).toBeUndefined();
    expect(new Latencies().parts()).toBeUndefined();
  });

  test('give percentiles of what came in any order, to a twentieth', () => {
    const latencies = new Latencies();
    for (const ms of [500, 100, 300, 200, 400]) latencies.addFinal({ totalMs: ms, relayMs: ms / 100 });
    expect(latencies.summary()).toEqual({ count: 5, p50Ms: 295, p95Ms: 495, p99Ms: 495 });
    expect(latencies.parts()).toEqual({
      relay: { count: 5, p50Ms: 2.95, p95Ms: 4.95, p99Ms: 4.95 },
      speech: { count: 5, p50Ms: 295, p95Ms: 495, p99Ms: 495 },
    });
  });

  test('tell partials apart, whose parts are of no interest', () => {
    const latencies = new Latencies();
    latencies.addPartial({ totalMs: 1_000, relayMs: 1 });
    expect(latencies.summary()).toBeUndefined();
    expect(latencies.parts()).toEqual({ partial: { count: 1, p50Ms: 995, p95Ms: 995, p99Ms: 995 } });
  });
});
