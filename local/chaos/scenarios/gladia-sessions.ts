import type { FaultyAnswer, FaultyRequest } from '../../gladia/faults';
import type { Call } from '../../twilio/twilio-caller';
import type { AllowedLoss } from '../audit-call';
import type { Scenario } from '../scenario';
import type { Trial } from '../trial';

/** A new session gets everything behind the last final again. */
const AGAIN_MS = 4_000;

function isPost({ method, path }: FaultyRequest): boolean {
  return method === 'POST' && path === '/v2/live';
}

function isPostOf({ callSid }: Call): (request: FaultyRequest) => boolean {
  return (request) => {
    const { custom_metadata: metadata } = (request.body ?? {}) as {
      custom_metadata?: Readonly<Record<string, unknown>>;
    };
    return isPost(request) && metadata?.['callSid'] === callSid;
  };
}

const PASSING: readonly FaultyAnswer[] = [
  { status: 429, headers: { 'retry-after': '1' } },
  { status: 429 },
  { status: 500 },
  { status: 503 },
  'invalid-json',
  'lost',
];

const REFUSALS = [400, 401, 402, 403, 422];
const REFUSED_CALL_MS = 4_000;

async function refuseForGood(trial: Trial): Promise<void> {
  const fleet = await trial.start({ paceFactor: 4 });
  const refused = REFUSALS.map((status) => {
    const call = trial.call({ ms: REFUSED_CALL_MS });
    const fault = { when: isPostOf(call), times: Infinity, answer: { status } };
    fleet.gladia.faults.http.push(fault);
    return { call, status, fault };
  });
  const bystander = trial.call({ ms: 4_000 });
  const failed: AllowedLoss = { causes: ['transcription-failed'], lostMs: REFUSED_CALL_MS };
  await trial.finish({ of: (call) => (call === bystander ? {} : failed) });
  for (const { call, status } of refused) {
    const { failure } = (await trial.stored(call)).call;
    trial.promise(failure === `http-${status}`, `after ${status} the call says ${failure}`);
  }
  const posts = fleet.gladia.requests.filter(isPostRequest).length;
  const most = 2 * refused.length + 1;
  trial.promise(posts <= most, `${posts} requests for ${refused.length} refused sessions: a retry storm`);
}

function isPostRequest({ method, path }: { readonly method: string; readonly path: string }): boolean {
  return method === 'POST' && path === '/v2/live';
}

const BACKLOG_MS = 4_000;
const AWAY_CALL_MS = 12_000;
/** The backlog goes in pieces. */
const SLAB_MS = 1_000;

const FRAME_MS = 20;
const SESSION_CALLS = 60;
const SESSIONS = 30;

/** One of its streams, if not the first, has sent so much of it. */
function hasSpoken({ streams }: Call): boolean {
  return streams.some(({ sent }) => sent.frames.inbound >= 5_000 / FRAME_MS);
}

/** Calls go on until the account is full, and all of them are heard or have waited for it. */
async function shareSessions(trial: Trial, settings: Readonly<Record<string, string>>): Promise<void> {
  const fleet = await trial.start({ settings, paceFactor: 2, gladia: { maxConcurrentSessions: SESSIONS } });
  const calls = trial.calls(SESSION_CALLS, { ms: 60_000 });
  const isFull = (): boolean => fleet.gladia.openSessions === SESSIONS && calls.every(hasSpoken);
  await fleet.gladia.waitFor(isFull, { timeoutMs: 30_000, what: 'a full account' });
  for (const call of calls) call.hangUp();
  await trial.finish();
  const { maxOpenSessions, requests } = fleet.gladia;
  trial.note(`${requests.filter(({ status }) => status === 429).length} requests met 429`);
  trial.promise(
    maxOpenSessions <= SESSIONS,
    `${maxOpenSessions} sessions were open, not ${SESSIONS} at most`,
  );
}

export const GLADIA_SESSIONS: readonly Scenario[] = [
  {
    name: 'gladia-ends-sessions',
    fault: 'Gladia ends every session after three seconds with a code in 44xx',
    promise: 'a new session takes the leg on from the last final, no word is missing or doubled',
    async play(trial) {
      const lifetimeCloseCode = trial.oneOf([4403, 4404, 4408]);
      await trial.start({
        gladia: { limits: { processingMs: 50, lifetimeMs: 3_000, lifetimeCloseCode } },
      });
      const calls = trial.calls(6, { ms: 8_000 });
      await trial.finish({ resentMs: 3 * AGAIN_MS });
      for (const call of calls) {
        const { length } = trial.sessionsOf(call);
        trial.promise(length >= 3, `call ${call.callSid} has ${length} sessions; at least 3 were needed`);
      }
    },
  },
  {
    name: 'gladia-refuses-resume',
    fault: 'the socket drops and its session refuses to be resumed',
    promise: 'a new session takes the leg on from the last final, no word is missing or doubled',
    async play(trial) {
      const fleet = await trial.start({ gladia: { limits: { processingMs: 50, lifetimeMs: 8_000 } } });
      const upgradeStatus = trial.oneOf([403, 404, 410]);
      const calls = trial.calls(6, { ms: 7_000 });
      for (const call of calls) await trial.heard(call);
      await Promise.all(
        calls.map(async (call) => {
          await trial.reached(call, trial.whole(2_000, 4_000));
          const [first] = trial.sessionsOf(call);
          if (first === undefined) return;
          fleet.gladia.faults.rules.push({ when: ({ id }) => id === first.id, faults: { upgradeStatus } });
          first.cut(trial.oneOf(['reset', 'fin']));
        }),
      );
      await trial.finish({ resentMs: AGAIN_MS, unconfirmed: true });
    },
  },
  {
    name: 'gladia-mute',
    fault: 'sessions take and acknowledge speech, and say nothing about it',
    promise: 'within half a minute a new session gets it: every word is in the table, once',
    perhapsAlarms: ['finals-late'],
    async play(trial) {
      const fleet = await trial.start();
      const calls = trial.calls(4, { ms: 40_000 });
      fleet.gladia.faults.rules.push({ when: ({ number }) => number < calls.length, faults: { mute: true } });
      // What the first session took is given to the second one, too.
      await trial.finish({ resentMs: 40_000, unconfirmed: true });
      for (const call of calls) {
        const sessions = trial.sessionsOf(call).length;
        trial.promise(sessions === 2, `call ${call.callSid} has ${sessions} sessions instead of 2`);
      }
    },
  },
  {
    name: 'gladia-unavailable-at-start',
    fault: 'requests for a session meet 429, 500, 503, a broken answer, a cut connection, or silence',
    promise: 'the audio is kept and transcribed late; the ledger shows the delay; nothing is lost',
    alarms: ['gladia-errors', 'gladia-limit'],
    perhapsAlarms: ['finals-late'],
    async play(trial) {
      const fleet = await trial.start();
      for (const answer of PASSING) {
        const fault = { when: isPostOf(trial.call({ ms: 6_000 })), times: trial.whole(2, 4), answer };
        fleet.gladia.faults.http.push(fault);
      }
      const silenced = trial.call({ ms: 6_000 });
      fleet.gladia.faults.http.push({ when: isPostOf(silenced), times: 1, answer: 'hang' });
      await trial.finish();
      const { tracks } = (await trial.stored(silenced)).call.ledger ?? { tracks: {} };
      const lateMs = tracks.inbound?.lateMs ?? 0;
      trial.promise(lateMs > 0, 'a session came after more than five seconds, and no audio counts as late');
    },
  },
  {
    name: 'gladia-refuses-the-account',
    fault: `requests for a session meet ${REFUSALS.join(', ')} for good`,
    promise: 'those calls are marked failed with the reason, without a retry storm; another one is complete',
    alarms: ['calls-failed', 'audio-lost'],
    perhapsAlarms: ['gladia-errors'],
    isQuick: true,
    play: refuseForGood,
  },
  {
    name: 'backlog-full',
    fault: 'Gladia is away for longer than the backlog of four seconds holds',
    promise: 'the oldest audio goes, counted and as GAP items; the rest is transcribed',
    alarms: ['gladia-errors', 'backlog-dropped', 'audio-lost'],
    perhapsAlarms: ['finals-late'],
    async play(trial) {
      const fleet = await trial.start({ paceFactor: 4, settings: { BACKLOG_CALL_MS: String(BACKLOG_MS) } });
      const fault = { when: isPost, times: Infinity, answer: { status: 503 } };
      fleet.gladia.faults.http.push(fault);
      const calls = trial.calls(5, { ms: AWAY_CALL_MS });
      await Promise.all(calls.map(({ done }) => done));
      fault.times = 0;
      await trial.finish({ causes: ['backlog-overflow'], lostMs: AWAY_CALL_MS - BACKLOG_MS + SLAB_MS });
      for (const call of calls) {
        const { gaps } = await trial.stored(call);
        trial.promise(gaps.length > 0, `call ${call.callSid} has no GAP item`);
      }
    },
  },
  {
    name: 'sixty-calls-on-thirty-sessions',
    fault: '60 calls at once, an account of 30 sessions, and the setting says so',
    promise: 'all 60 transcripts are complete, and never more than 30 sessions open',
    // Gladia may count a session for a moment after its end.
    perhapsAlarms: ['finals-late', 'gladia-limit'],
    play: (trial) => shareSessions(trial, { GLADIA_MAX_SESSIONS: String(SESSIONS) }),
  },
  {
    name: 'sixty-calls-on-429',
    fault: '60 calls at once, an account of 30 sessions, and nobody told the relay',
    promise: 'all 60 transcripts are complete: 429 makes the others wait',
    alarms: ['gladia-limit'],
    perhapsAlarms: ['finals-late'],
    play: (trial) => shareSessions(trial, {}),
  },
];
