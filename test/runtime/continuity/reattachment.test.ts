import {
  isHeardBy,
  Reattachment,
  type LostStream,
  type ReattachmentOptions,
} from '../../../runtime/continuity/reattachment';
import { Metrics } from '../../../runtime/observability/metrics';
import { legRecord } from '../../support/leg-record';
import { recordLog } from '../../support/recorded-log';

const lost: LostStream = legRecord({ streamSid: 'MZ1', taskId: 'dead' });

/** @returns how many streams were asked for */
async function reattach(store: Partial<ReattachmentOptions['store']>): Promise<number> {
  let started = 0;
  const reattachment = new Reattachment({
    store: {
      claimStream: async () => true,
      findLeg: async () => legRecord(),
      legsOfCall: async () => [],
      ...store,
    },
    starter: {
      start: async () => {
        started += 1;
        return 'MZ9';
      },
    },
    isCallOver: async () => false,
    taskId: 'task-2',
    claimMs: 1,
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
    const legsOfCall = async () => [legRecord({ streamSid: 'MZ1' }), legRecord({ streamSid: 'MZ2' })];
    expect(await reattach({ claimStream: claimedOnce(), legsOfCall })).toBe(0);
  });
});

test('A leg that stops, as before a pause, does not hear its call', () => {
  expect(isHeardBy([legRecord({ streamSid: 'MZ2', isStopping: true })], lost)).toBe(false);
  expect(isHeardBy([legRecord({ streamSid: 'MZ2' })], lost)).toBe(true);
});
