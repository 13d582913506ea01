import { setTimeout as delay } from 'node:timers/promises';
import { startSecretsManager } from '../../secrets-manager';
import type { Scenario } from '../scenario';
import type { Trial } from '../trial';

/** What Gladia has of each call is so close behind what was said. */
const BEHIND_MS = 1_500;

/** While the table is away, audio goes its way as before. */
function promiseAudio(trial: Trial): void {
  for (const call of trial.fleet.twilio.calls) {
    const [session] = trial.sessionsOf(call);
    const acceptedMs = (session?.acceptedBytes ?? 0) / 16;
    const behindMs = Math.round(call.positionMs - acceptedMs);
    trial.promise(
      behindMs <= BEHIND_MS,
      `the store was away, and the audio of a call was ${behindMs} ms late`,
    );
  }
}

async function storeAway(trial: Trial, mode: 'down' | 'silent'): Promise<void> {
  const fleet = await trial.start();
  trial.calls(15, { ms: 12_000 });
  await Promise.all(fleet.twilio.calls.map((call) => trial.heard(call)));
  await delay(trial.whole(500, 1_500));
  fleet.store.switches.mode = mode;
  await delay(6_000);
  promiseAudio(trial);
  fleet.store.switches.mode = 'up';
  await trial.finish();
}

const SECRET = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:gladia-AbCdEf';

export const STORE_FAULTS: readonly Scenario[] = [
  {
    name: 'store-throttles',
    fault: 'the table throttles half of the requests, leaves a third of each batch, and loses answers',
    promise: 'every segment arrives, once; audio is not touched',
    perhapsAlarms: ['leases-failing'],
    isQuick: true,
    async play(trial) {
      const fleet = await trial.start();
      Object.assign(fleet.store.switches, {
        throttledShare: 0.5,
        unprocessedShare: 0.33,
        lostAnswerShare: 0.1,
      });
      trial.calls(10, { ms: 7_000 });
      await Promise.all(fleet.twilio.calls.map(({ over }) => over));
      promiseAudio(trial);
      Object.assign(fleet.store.switches, { throttledShare: 0, unprocessedShare: 0, lostAnswerShare: 0 });
      await trial.finish();
    },
  },
  {
    name: 'store-down',
    fault: 'the table resets every connection for six seconds in the middle of the calls',
    promise: 'writes wait, every segment arrives, once; audio is not touched',
    perhapsAlarms: ['leases-failing'],
    play: (trial) => storeAway(trial, 'down'),
  },
  {
    name: 'store-silent',
    fault: 'the table answers nothing for six seconds in the middle of the calls',
    promise: 'writes wait, every segment arrives, once; audio is not touched',
    perhapsAlarms: ['leases-failing'],
    play: (trial) => storeAway(trial, 'silent'),
  },
  {
    name: 'secret-rotated',
    fault: "Gladia's key is rotated in Secrets Manager, and the old one is refused from then on",
    promise: 'the next call has the new key, without a restart, and is complete',
    async play(trial) {
      const apiKeys = ['old-gladia-key'];
      const aws = trial.keep(await startSecretsManager());
      const fill = (apiKey: string): unknown => aws.secrets.set(SECRET, JSON.stringify({ apiKey }));
      fill('old-gladia-key');
      const settings = {
        GLADIA_SECRET_ARN: SECRET,
        GLADIA_API_KEY: '',
        AWS_ENDPOINT_URL_SECRETS_MANAGER: aws.endpoint,
      };
      await trial.start({ paceFactor: 4, settings, gladia: { apiKeys } });
      const before = trial.calls(2, { ms: 4_000 });
      await Promise.all(before.map((call) => trial.heard(call)));
      fill('new-gladia-key');
      apiKeys.splice(0, 1, 'new-gladia-key');
      trial.calls(3, { ms: 4_000 });
      await trial.finish({ of: (call) => (before.includes(call) ? { unconfirmed: true } : {}) });
    },
  },
];
