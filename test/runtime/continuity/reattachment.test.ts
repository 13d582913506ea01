import {
  hearing,
  Reattachment,
  type LostStream,
  type ReattachmentOptions,
} from '../../../runtime/continuity/reattachment';
import type { StreamOfCall } from '../../../runtime/continuity/stream-starter';
import { Metrics } from '../../../runtime/observability/metrics';
import type { LegRecord } from '../../../runtime/store/live-leg';
import { TwilioRestError } from '../../../runtime/twilio/twilio-rest';
import { legRecord } from '../../support/leg-record';
import { recordLog } from '../../support/recorded-log';

const lost: LostStream = legRecord({ streamSid: 'MZ1', taskId: 'dead' });
const LATER = '2026-11-21T10:00:30.000Z';

/** @returns how many streams were asked for */
async function reattach(
  store: Partial<ReattachmentOptions['store']>,
  more: Partial<ReattachmentOptions> = {},
): Promise<number> {
  let started = 0;
  const reattachment = new Reattachment({
    store: {
      claimStream: async () => true,
      findLeg: async () => legRecord(),
      legsOfCall: async () => [],
      handOverProof: async () => undefined,
      ...store,
    },
    starter: {
      async start(_stream, isWanted) {
        if (!isWanted()) return undefined;
        started += 1;
        return `MZ${8 + started}`;
      },
    },
    isCallOver: async () => false,
    taskId: 'task-2',
    claimMs: 20,
    firstBackOffMs: 1,
    maxBackOffMs: 1,
    giveUpAfterMs: 100,
    startWithinMs: 100,
    startPollMs: 1,
    goodAfterMs: 30_000,
    signal: new AbortController().signal,
    now: () => performance.now(),
    wallNow: Date.now,
    random: Math.random,
    logger: recordLog().logger,
    metrics: new Metrics(),
    ...more,
  });
  await reattachment.reattach(lost, 'lease-expired');
  return started;
}

/** The first claim is somebody else's, and has run out when it is asked for again. */
function claimedOnce(): () => Promise<boolean> {
  let claims = 0;
  return async () => (claims += 1) > 1;
}

describe('A task that waits for the claim of another one', () => {
  test('acts when that one has died: the lost leg itself, still to be closed, is no other leg', async () => {
    const legsOfCall = async () => [legRecord({ streamSid: 'MZ1', taskId: 'task-2' })];
    expect(await reattach({ claimStream: claimedOnce(), legsOfCall })).toBe(1);
  });

  test('does nothing when the call has another leg by then', async () => {
    const legsOfCall = async () => [
      legRecord({ streamSid: 'MZ1' }),
      legRecord({ streamSid: 'MZ2', startedAt: LATER }),
    ];
    expect(await reattach({ claimStream: claimedOnce(), legsOfCall })).toBe(0);
  });
});

describe('A task whose claim fails', () => {
  test('at once claims again: it may be another task that makes the new stream', async () => {
    let claims = 0;
    const claimStream = async (): Promise<boolean> => {
      claims += 1;
      if (claims === 1) throw new Error('ECONNRESET');
      return false;
    };
    // By the time that this one's turn comes the call has the other task's.
    const legsOfCall = async () => (claims > 2 ? [legRecord({ streamSid: 'MZ2', startedAt: LATER })] : []);
    expect(await reattach({ claimStream, legsOfCall })).toBe(0);
  });

  test('twice goes on without: a store that is away must not cost the call', async () => {
    expect(await reattach({ claimStream: () => Promise.reject(new Error('ECONNREFUSED')) })).toBe(1);
  });

  test('late goes on at once', async () => {
    let [nowMs, claims] = [0, 0];
    const claimStream = async (): Promise<boolean> => {
      nowMs += 2_000;
      claims += 1;
      throw new Error('no answer');
    };
    expect(await reattach({ claimStream }, { now: () => nowMs, claimMs: 10_000 })).toBe(1);
    expect(claims).toBe(1);
  });
});
describe('A task that gets a claim which has run out', () => {
  const legs = (...others: Partial<LegRecord>[]) => ({
    legsOfCall: async () => [
      legRecord({ streamSid: 'MZ1' }),
      ...others.map((other) => legRecord({ streamSid: 'MZ2', startedAt: LATER, ...other })),
    ],
  });

  test('does nothing when the call has had another leg for long', async () => {
    expect(await reattach(legs({ taskId: 'task-3' }))).toBe(0);
  });

  test('acts for the last of two legs that their task has lost', async () => {
    expect(await reattach(legs({ startedAt: '2026-11-21T09:00:00.000Z' }))).toBe(1);
  });

  test('acts when the other leg came to take the call over, and nobody waited for it', async () => {
    const announced = legs({ parameters: { handover: 'nonce' } });
    const proof = (streamSid: string) => async () => ({ streamSid, firstAudioAt: LATER });
    expect(await reattach(announced)).toBe(1);
    expect(await reattach({ ...announced, handOverProof: proof('MZ3') })).toBe(1);
    expect(await reattach({ ...announced, handOverProof: proof('MZ2') })).toBe(0);
  });

  test('acts when the table does not tell', async () => {
    const legsOfCall = () => Promise.reject(new Error('away'));
    expect(await reattach({ legsOfCall })).toBe(1);
  });
});

describe('A task that asks for a stream', () => {
  test('asks again for one that never starts, though the lost leg still finishes', async () => {
    const legsOfCall = async () => [legRecord({ streamSid: 'MZ1' })];
    const findLeg = async (_callSid: string, streamSid: string) =>
      streamSid === 'MZ10' ? legRecord({ streamSid }) : undefined;
    expect(await reattach({ legsOfCall, findLeg }, { startWithinMs: 5 })).toBe(2);
  });

  test('does not ask again when another task has got its claim meanwhile, and the call a leg', async () => {
    let asked = 0;
    const start = async (): Promise<string> => {
      asked += 1;
      throw new TwilioRestError('too-many-requests');
    };
    const claimStream = async () => asked === 0;
    const legsOfCall = async () => (asked === 0 ? [] : [legRecord({ streamSid: 'MZ2', startedAt: LATER })]);
    await reattach({ claimStream, legsOfCall }, { starter: { start } });
    expect(asked).toBe(1);
  });

  test('claims again when its turn comes after the claim has run out', async () => {
    let [turns, claims, nowMs] = [0, 0, 0];
    const start = async (_stream: StreamOfCall, isWanted: () => boolean) => {
      turns += 1;
      if (turns === 1) nowMs += 20;
      return isWanted() ? 'MZ9' : undefined;
    };
    const claimStream = async () => (claims += 1) > 0;
    await reattach({ claimStream }, { starter: { start }, now: () => nowMs });
    expect([turns, claims]).toEqual([2, 2]);
  });
});

test('A call is not heard by a leg that stops, as before a pause, or that hears another track', () => {
  const of = { streamSid: 'MZ1', tracks: ['inbound' as const] };
  const heardBy = (more: Partial<LegRecord>) =>
    hearing([legRecord({ streamSid: 'MZ2', ...more })], of).length;
  expect(heardBy({})).toBe(1);
  expect(heardBy({ isStopping: true })).toBe(0);
  expect(heardBy({ tracks: ['outbound'] })).toBe(0);
});
