import { randomBytes } from 'node:crypto';
import type { OddMessage } from '../../gladia/faults';
import type { IntrusionKind } from '../../twilio/behaviour';
import type { Call } from '../../twilio/twilio-caller';
import type { Scenario } from '../scenario';
import type { Trial } from '../trial';

const INTRUSIONS: readonly IntrusionKind[] = [
  'unknown event',
  'dtmf',
  'second start',
  'media before start',
  'binary frame',
  'broken JSON',
  'not an object',
  'payload not base64',
  'stop for another stream',
];
const ODD_MESSAGES: readonly [OddMessage, ...OddMessage[]] = [
  'malformed-json',
  'unknown-type',
  'error-frame',
  'huge-message',
];

const MS = 6_000;

/** Whatever is no message of the protocol, over and over, on a stream that goes on. */
async function babble(trial: Trial, call: Call): Promise<void> {
  await trial.heard(call);
  for (let message = 0; message < 50; message += 1) call.sendRaw(nonsense(trial));
}

function nonsense(trial: Trial): string | Buffer {
  const bytes = randomBytes(trial.whole(0, 300));
  const media = { track: trial.oneOf(['inbound', 'sideways', 7]), timestamp: trial.oneOf(['-1', 'NaN', {}]) };
  return trial.oneOf<string | Buffer>([
    bytes,
    bytes.toString('latin1'),
    '',
    'null',
    '{'.repeat(1_000),
    JSON.stringify({ event: 'media', media: { ...media, payload: {} } }),
    JSON.stringify({ event: ['stop'], streamSid: null }),
    JSON.stringify({ event: 'stop', streamSid: '__proto__', stop: { callSid: 'constructor' } }),
  ]);
}

export const HOSTILE_MESSAGES: readonly Scenario[] = [
  {
    name: 'twilio-talks-nonsense',
    fault: 'malformed, binary, foreign and out-of-order messages on media streams, and one of 10 MB',
    promise: 'counted and ignored; only the leg of the 10 MB message ends, and other calls stay byte-exact',
    isQuick: true,
    async play(trial) {
      await trial.start();
      for (const kind of INTRUSIONS)
        trial.call({ ms: MS, behaviour: { intrusions: [{ kind, atMs: trial.whole(500, MS - 1_000) }] } });
      const babbled = trial.calls(3, { ms: MS });
      await Promise.all(babbled.map((call) => babble(trial, call)));
      const intrusions = [{ kind: 'oversized message', atMs: trial.whole(2_000, 4_000) }] as const;
      const poisoned = trial.call({ ms: MS, behaviour: { intrusions } });
      // Its call goes on with a new stream, after a gap.
      await trial.finish({
        of: (call) => (call === poisoned ? { causes: ['stream-lost'], lostMs: 5_000 } : {}),
      });
      const [leg] = Object.values((await trial.stored(poisoned)).call.legs);
      const reason = leg?.endReason;
      trial.promise(reason === 'protocol-error', `the leg of the message of 10 MB ended with ${reason}`);
    },
  },
  {
    name: 'gladia-talks-nonsense',
    fault: 'malformed, unknown, erroneous and huge messages on speech sockets',
    promise: 'counted and ignored: every word of every call is in the table',
    async play(trial) {
      const fleet = await trial.start({ paceFactor: 2 });
      fleet.gladia.faults.sessions = { oddMessages: ['malformed-json', 'unknown-type'] };
      const calls = trial.calls(8, { ms: MS });
      await Promise.all(
        calls.map(async (call) => {
          await trial.heard(call);
          for (const atMs of [1_500, 2_500, 3_500, 4_500]) {
            await trial.reached(call, atMs);
            trial.sessionsOf(call)[0]?.inject(trial.oneOf(ODD_MESSAGES));
          }
        }),
      );
      await trial.finish();
    },
  },
];
