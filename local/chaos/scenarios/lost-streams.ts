import type { Scenario } from '../scenario';
import type { Trial } from '../trial';
import type { Call } from '../../twilio/twilio-caller';

const RECOVERED_MS = 5_000;

/** Loses the streams of all calls at moments of their own, and waits until each is heard again. */
async function loseAndRecover(trial: Trial, calls: readonly Call[]): Promise<void> {
  await Promise.all(
    calls.map(async (call) => {
      await trial.heard(call);
      await trial.reached(call, trial.whole(1_500, 4_000));
      const lostAt = performance.now();
      call.streams[0]?.lose(trial.oneOf(['close without stop', 'reset']));
      await trial.heard(call, 1);
      trial.recovered(performance.now() - lostAt, RECOVERED_MS);
    }),
  );
}

function isHeard({ fleet }: Trial, streamSid: string): boolean {
  return fleet.gladia.sessions.some(
    ({ customMetadata, acceptedBytes }) => customMetadata['streamSid'] === streamSid && acceptedBytes > 0,
  );
}

/** Asks Twilio for one more stream of a call, as somebody else would who has the credentials. */
async function streamByHand({ fleet: { twilio } }: Trial, { callSid, streams }: Call): Promise<void> {
  const { apiUrl, accountSid, authToken } = twilio;
  const credentials = Buffer.from(`${accountSid}:${authToken}`).toString('base64');
  const url = `${apiUrl}/2010-04-01/Accounts/${accountSid}/Calls/${callSid}/Streams.json`;
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${credentials}` },
    body: new URLSearchParams({ Url: streams[0]?.request.url ?? '', Track: 'both_tracks', Name: 'by hand' }),
  });
  if (!response.ok) throw new Error(`Twilio answered ${response.status} to a stream by hand`);
}

export const LOST_STREAMS: readonly Scenario[] = [
  {
    name: 'stream-lost',
    fault: 'Twilio closes or resets streams without stop while the calls go on',
    promise: 'every call gets a new stream within 5 s, and the seconds between are GAP items',
    isQuick: true,
    async play(trial) {
      await trial.start({ size: 2 });
      await loseAndRecover(trial, trial.calls(6, { ms: 9_000 }));
      await trial.finish({ causes: ['stream-lost'], lostMs: RECOVERED_MS });
    },
  },
  {
    name: 'task-full',
    fault: 'upgrades are refused because the task is full, while another one has room',
    promise: 'the other task takes those calls through REST',
    alarms: ['calls-refused'],
    async play(trial) {
      const fleet = await trial.start({ size: 2, settings: { MAX_CALLS: '3' } });
      const [full, free] = fleet.relays;
      if (full === undefined || free === undefined) throw new Error('two relays are needed');
      fleet.balancer.deregister(free.port, { cutSockets: false });
      const first = trial.calls(3, { ms: 10_000 });
      await Promise.all(first.map((call) => trial.heard(call)));
      const refused = trial.calls(3, { ms: 10_000 });
      await Promise.all(refused.map(({ events }) => events.next('refused')));
      const refusedAt = performance.now();
      fleet.balancer.register(free.port);
      await Promise.all(
        refused.map(async (call) => {
          await fleet.waitFor(() => call.streams.some((stream) => isHeard(trial, stream.streamSid)), {
            timeoutMs: 20_000,
            what: 'a refused call to be heard',
          });
          trial.recovered(performance.now() - refusedAt, 8_000);
        }),
      );
      for (const call of refused) {
        const owners = fleet.ownersOf(call).map(({ index }) => index);
        trial.promise(owners.includes(free.index), 'a refused call is not on the free relay');
      }
      await trial.finish();
    },
  },
  {
    name: 'second-socket',
    fault: 'a second stream of the same call and tracks that nobody announced',
    promise: 'the newest wins, the other one is ended, and no line is doubled',
    async play(trial) {
      // Else this stream would be refused, because it brings no ticket.
      await trial.start({ size: 2, settings: { STREAM_TICKET: 'off' } });
      const calls = trial.calls(4, { ms: 9_000 });
      await Promise.all(
        calls.map(async (call) => {
          await trial.heard(call);
          await trial.reached(call, trial.whole(2_000, 4_000));
          await streamByHand(trial, call);
          await trial.heard(call, 1);
        }),
      );
      await trial.finish();
      for (const call of calls) {
        const { legs } = (await trial.stored(call)).call;
        const reasons = call.streams.map(({ streamSid }) => legs[streamSid]?.endReason);
        const isRight = reasons.join() === 'replaced,stopped';
        trial.promise(isRight, `the legs of call ${call.callSid} ended with ${reasons.join(' and ')}`);
      }
    },
  },
  {
    name: 'caller-silent',
    fault: 'a caller is silent: quiet frames, then no frames at all for four seconds',
    promise: 'nothing closes, one session goes on, silence is filled and counted, words keep their times',
    async play(trial) {
      await trial.start();
      const gaps = [{ fromMs: 2_000, toMs: 6_000 }];
      const calls = trial.calls(4, { ms: 10_000, behaviour: { gaps } });
      await trial.finish();
      for (const call of calls) {
        trial.promise(call.streams.length === 1, `call ${call.callSid} has ${call.streams.length} streams`);
        const sessions = trial.sessionsOf(call).length;
        trial.promise(sessions === 1, `call ${call.callSid} has ${sessions} sessions`);
        const filledMs = (await trial.stored(call)).call.ledger?.tracks.inbound?.filledMs ?? 0;
        const isFilled = Math.abs(filledMs - 4_000) <= 40;
        trial.promise(isFilled, `${filledMs} ms of silence were filled where 4,000 ms had no frames`);
      }
    },
  },
];
